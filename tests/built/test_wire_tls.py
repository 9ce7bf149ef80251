"""A built gateway over HTTPS, and on other addresses than the usual."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import openai
import pytest
import trustme
from upstreams import STORY, answers, chunk, streams

from .conftest import Built
from .fronts import MODEL, PATIENT_MODEL, TALK, Service, answer_of, becomes_true, environ_for
from .servers import clean_environ

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def started(
    built: Built, service: Service, folder: Path, server: dict[str, object], *arguments: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL that the server says it serves on, any port, and its process."""
    (folder / "values.json").write_text(json.dumps({"server": server}))
    command: Sequence[str | Path] = [built.python, "-P", "-m", built.module, "--config", "values.json", "--port", "0"]
    environ = clean_environ(environ_for(service))
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen([*command, *arguments], env=environ, cwd=folder, stdout=log, stderr=log, text=True) as process,
    ):
        try:
            file = folder / "log"
            assert becomes_true(lambda: "serving gateway on" in file.read_text(), 20), file.read_text()
            found = re.search(r"serving gateway on (\S+?)(, \d workers)?$", file.read_text(), re.MULTILINE)
            assert found
            yield found[1], process
        finally:
            process.kill()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_sdk_works_over_https(
    build: Callable[[str], Built], service: Service, authority: trustme.CA, tmp_path: Path, workers: str
) -> None:
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    files: dict[str, object] = {"tls_certfile": "server.pem", "tls_keyfile": "server.pem", "shutdown_seconds": 0.5}
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with started(build("gateway"), service, tmp_path, files, "--workers", workers) as (url, process):
        assert url.startswith("https://127.0.0.1:")
        port = int(url.rpartition(":")[2])
        # A client that speaks plain HTTP, one that leaves in its handshake, one that trusts somebody else.
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/v1/health")
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"\x16\x03\x01")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://localhost:{port}/v1/health")

        with httpx.Client(verify=trust) as http:
            client = openai.OpenAI(
                base_url=f"https://localhost:{port}/v1", api_key="none", max_retries=0, http_client=http
            )
            service.plays(answers(answer_of()))
            assert client.chat.completions.create(model=MODEL, messages=TALK).choices[0].message.content == "hello"
            service.plays(streams(*STORY))
            stream = client.chat.completions.create(model=MODEL, messages=TALK, stream=True)
            assert [each.choices[0].delta.content for each in stream] == ["one", " two", None]
            with pytest.raises(openai.NotFoundError):
                client.models.retrieve("nobody/nothing")

            service.plays(streams(chunk("one"), done=False, ending="hang"))
            stream = client.chat.completions.create(model=PATIENT_MODEL, messages=TALK, stream=True)
            assert next(iter(stream)).choices[0].delta.content == "one"
            stream.close()
            assert becomes_true(lambda: service.was_cut)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("host", ["::1", "localhost", "::", "0.0.0.0"])
def test_it_listens_where_it_is_told(
    build: Callable[[str], Built], service: Service, tmp_path: Path, host: str
) -> None:
    with started(build("gateway"), service, tmp_path, {}, "--host", host) as (url, process):
        port = url.rpartition(":")[2]
        assert url == f"http://{f'[{host}]' if ':' in host else host}:{port}"
        near = {"::1": ["[::1]"], "localhost": ["localhost"], "::": ["[::1]", "127.0.0.1"], "0.0.0.0": ["127.0.0.1"]}
        for name in near[host]:
            assert httpx.get(f"http://{name}:{port}/v1/health").json() == {"status": "OK"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
