"""Servers that must not start, and where settings come from: through the command, as an operator meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from .conftest import Built
from .fronts import SETTINGS_KEY, Service
from .servers import clean_environ, free_port

pytestmark = pytest.mark.slow

NO_PEM = "tests are no certificate authority\n"
WORKERS = ["1", "2"]


@pytest.fixture
def built(build: Callable[[str], Built]) -> Built:
    return build("gateway")


def start(
    built: Built, folder: Path, environ: Mapping[str, str], values: object = None, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """The server, run to its end, which is to come soon and in few words."""
    command = [str(built.python), "-P", "-m", built.module, "--port", str(free_port()), *arguments]
    if values is not None:
        file = folder / "values.yaml"
        file.write_text(values if isinstance(values, str) else json.dumps(values))
        command += ["--config", str(file)]
    done = subprocess.run(
        command, env=clean_environ(environ), cwd=folder, capture_output=True, text=True, check=False, timeout=20
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert SETTINGS_KEY not in done.stderr
    assert "hunter2" not in done.stderr
    return done


def network(**more: object) -> dict[str, object]:
    return {"providers": {"inference": {"openai": {"network": more}}}}


# ── wrong settings: 2, all of them told ─────────────────────────────────────────────────────────────────────────────


def test_every_wrong_setting_is_named_at_once(built: Built, tmp_path: Path) -> None:
    environ = {
        "OPENAI_API_KEY": SETTINGS_KEY,
        "OPENAI_BASE_URL": "ftp://admin:hunter2@files.example",
        "VLLM_URL": "http://vllm.example/v1",
        "VLLM_MAX_TOKENS": "many",
        "RUNPOD_URL": "not a URL",
    }
    values = {
        "server": {"port": "high", "workers": 0, "colour": "blue", "log_level": "loud"},
        "providers": {
            "inference": {
                "openai": {"api_kee": SETTINGS_KEY, "allowed_models": "all", "network": {"retries": -1}},
                "vllm": {"network": {"timeout": {"read": "long"}}},
                "nobody": {"api_key": SETTINGS_KEY},
            }
        },
        "sevrer": {},
    }
    done = start(built, tmp_path, environ, values)
    assert done.returncode == 2
    first, *problems = done.stderr.splitlines()
    assert first == "gateway cannot start, its settings are wrong:"
    assert sorted(line.split()[0] for line in problems) == [
        "OPENAI_BASE_URL",
        "RUNPOD_URL",
        "VLLM_MAX_TOKENS",
        "providers.inference.nobody",
        "providers.inference.openai.allowed_models",
        "providers.inference.openai.api_kee",
        "providers.inference.openai.network.retries",
        "providers.inference.vllm.network.timeout.read",
        "server.colour",
        "server.log_level",
        "server.port",
        "server.workers",
        "sevrer",
    ]


def test_a_missing_value_is_named(built: Built, tmp_path: Path) -> None:
    """Azure's instance is there with its key, and then needs to know where its service is."""
    done = start(built, tmp_path, {"AZURE_API_KEY": SETTINGS_KEY})
    assert done.returncode == 2
    assert "providers.inference.azure.base_url is required" in done.stderr


BAD_FILES = {
    "not-yaml": f"server: {{port: 1\napi_key: {SETTINGS_KEY}",
    "a-list": f"- {SETTINGS_KEY}",
    "a-text": SETTINGS_KEY,
    "a-number-for-a-mapping": "server: 5",
    "numbered-names": f"5: {SETTINGS_KEY}",
    "a-tag": f"server: !!python/object/apply:os.system ['echo {SETTINGS_KEY}']",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_values_file_is_told_without_its_content(built: Built, tmp_path: Path, text: str) -> None:
    done = start(built, tmp_path, {}, text)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2


def test_a_values_file_that_is_not_there_is_told(built: Built, tmp_path: Path) -> None:
    done = start(built, tmp_path, {}, None, "--config", "nowhere.yaml")
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--workers", "0"), ("--colour", "blue"), ("extra",)])
def test_a_command_line_that_is_not_understood_is_a_usage_error(
    built: Built, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = start(built, tmp_path, {}, None, *arguments)
    assert done.returncode == 2
    assert "usage: python -m gateway_stack" in done.stderr


# What only opening a component shows is told the same way.
BAD_NETWORKS: dict[str, dict[str, object]] = {
    "a-missing-authority": {"tls": {"ca_file": "nowhere.pem"}},
    "an-authority-that-is-no-pem": {"tls": {"ca_file": "no.pem"}},
    "a-missing-client-certificate": {"tls": {"client_cert": "nowhere.pem"}},
    "unknown-ciphers": {"tls": {"ciphers": ["ROT13"]}},
    "no-proxy-url": {"proxy": {"url": "admin:hunter2@proxy"}},
}


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("bad", BAD_NETWORKS.values(), ids=BAD_NETWORKS)
def test_a_provider_that_cannot_be_opened_is_a_wrong_setting(
    built: Built, tmp_path: Path, workers: str, bad: dict[str, object]
) -> None:
    (tmp_path / "no.pem").write_text(NO_PEM)
    done = start(built, tmp_path, {"OPENAI_API_KEY": SETTINGS_KEY}, network(**bad), "--workers", workers)
    assert done.returncode == 2
    title, problem = done.stderr.splitlines()
    assert title == "gateway cannot start, its settings are wrong:"
    assert "network." in problem


# ── surroundings that do not fit: 3 ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", WORKERS)
def test_a_port_in_use_is_told_in_a_line(built: Built, tmp_path: Path, workers: str) -> None:
    with built.serve({}) as server:
        port = server.url.rpartition(":")[2]
        done = start(built, tmp_path, {}, None, "--host", "127.0.0.1", "--port", port, "--workers", workers)
    assert done.returncode == 3
    assert done.stderr == f"gateway cannot start: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


@pytest.mark.parametrize(
    "files",
    [
        {"tls_certfile": "nowhere.pem", "tls_keyfile": "nowhere.key"},
        {"tls_certfile": "no.pem", "tls_keyfile": "no.pem"},
        {"tls_certfile": "no.pem"},
    ],
    ids=["missing", "no-pem", "half"],
)
def test_a_certificate_that_cannot_be_used_is_told_in_a_line(
    built: Built, tmp_path: Path, files: dict[str, str]
) -> None:
    (tmp_path / "no.pem").write_text(NO_PEM)
    done = start(built, tmp_path, {}, {"server": files})
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "tls_keyfile" in done.stderr or "pem" in done.stderr


def test_a_host_that_is_not_there_is_told_in_a_line(built: Built, tmp_path: Path) -> None:
    done = start(built, tmp_path, {}, None, "--host", "no-such-host.invalid")
    assert done.returncode == 3
    assert done.stderr.startswith("gateway cannot start: the host no-such-host.invalid is not known")


# ── where a value comes from ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("environ", "values", "expected"),
    [
        ({}, None, "https://api.openai.com/v1"),
        ({}, "http://from.file/v1", "http://from.file/v1"),
        ({"OPENAI_BASE_URL": "http://from.environment/v1"}, None, "http://from.environment/v1"),
        ({"OPENAI_BASE_URL": "http://from.environment/v1"}, "http://from.file/v1", "http://from.environment/v1"),
        ({"OPENAI_BASE_URL": ""}, "http://from.file/v1", "http://from.file/v1"),
    ],
    ids=["default", "file", "environment", "environment-before-file", "empty-variable-counts-as-none"],
)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_the_environment_beats_the_file_which_beats_the_default(
    built: Built, tmp_path: Path, environ: dict[str, str], values: str | None, expected: str, suffix: str
) -> None:
    file = tmp_path / f"values.{suffix}"
    file.write_text(
        json.dumps({} if values is None else {"providers": {"inference": {"openai": {"base_url": values}}}})
    )
    with built.serve({"OPENAI_API_KEY": SETTINGS_KEY, **environ}, "--config", str(file)) as server:
        listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
    (openai,) = [each for each in listed if each["provider_id"] == "openai"]
    assert openai["config"]["base_url"] == expected
    assert openai["config"]["api_key"] == "********"


def test_a_secret_of_digits_in_the_file_is_a_text(built: Built, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("providers: {inference: {vllm: {api_token: 1234567890}}}")
    with ExitStack() as stack:
        server = stack.enter_context(built.serve({"VLLM_URL": service.url}, "--config", str(file)))
        listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
    assert [each["config"]["api_token"] for each in listed if each["provider_id"] == "vllm"] == ["********"]


def test_help_is_short_and_no_error(built: Built, tmp_path: Path) -> None:
    command = [str(built.python), "-P", "-m", built.module, "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0
    assert "--config" in done.stdout
