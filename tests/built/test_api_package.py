"""A third party's provider, from an empty folder: proved with stackgen-api alone, then locked, built in, and served."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from stackgen.api_package import MODULE
from stackgen.environment import environment_for, find_uv, install
from stackgen.requirements import API_PACKAGE, API_VERSION

from .conftest import Built
from .servers import Running, stackgen

pytestmark = pytest.mark.slow

THIRD_PARTY = Path(__file__).with_name("third_party")

PROVIDER = f"""\
type: inline::acme
api: inference
summary: Says again what it is told.
package: acme-stack==1.2
import: acme_stack:open_acme
class: AcmeConfig
capabilities: [chat]
takes: {{instance: id}}
config:
  required: [api_key]
  properties:
    api_key: {{type: string, format: password, description: Whatever you like.}}
    volume: {{type: integer, minimum: 1, maximum: 12, default: 5, description: How loud.}}
requires: ["{API_PACKAGE}>=0.1.0,<0.2"]
"""
DISTRIBUTION = """\
name: loud
summary: A third party's provider beside one of stackgen's own.
apis: [inference, models, inspect, providers]
providers:
  inference:
    - {id: polly, type: inline::acme, config: {api_key: "${env.ACME_KEY}", volume: "${env.VOLUME:=7}"}}
    - {id: "${env.QUIET_KEY:+quiet}", type: inline::acme, config: {api_key: "${env.QUIET_KEY}", volume: 1}}
    - {id: "${env.OPENAI_API_KEY:+openai}", type: remote::openai, config: {api_key: "${env.OPENAI_API_KEY:=}"}}
"""


def uv(*words: str | Path, cwd: Path) -> str:
    found = find_uv()
    assert found is not None
    return run(*found, *words, cwd=cwd)


def run(*words: str | Path, cwd: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of stackgen-api and of the third party, which is where both are installed from."""
    folder = tmp_path_factory.mktemp("api")
    done = stackgen("api-package", "--out", folder / "project")
    assert done.returncode == 0, done.stderr
    # The wheel is made from the sdist: that a checkout is not needed for it is part of the claim.
    for source in (folder / "project", THIRD_PARTY):
        uv("build", "--quiet", "--out-dir", folder / "wheels", source, cwd=folder)
    (folder / "wheels" / ".gitignore").unlink(missing_ok=True)
    return folder / "wheels"


def environment(folder: Path, *packages: str, wheels: Path) -> Path:
    uv("venv", "--quiet", "--no-project", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", python, "--find-links", wheels, *packages, cwd=folder.parent)
    return python


def test_a_provider_is_proved_without_the_compiler(wheels: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env", "acme-stack", "pytest", wheels=wheels)
    shutil.copy(THIRD_PARTY / "conformance.py", tmp_path)
    said = run(python, "-m", "pytest", "-q", "conformance.py", cwd=tmp_path)
    assert "13 passed, 1 skipped" in said, said


def test_the_package_is_light(wheels: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env", API_PACKAGE, wheels=wheels)
    installed = json.loads(uv("pip", "list", "--format", "json", "--python", python, cwd=tmp_path))
    found = {each["name"] for each in installed}
    assert found == {
        "annotated-types",
        "pydantic",
        "pydantic-core",
        API_PACKAGE,
        "typing-extensions",
        "typing-inspection",
    }


@pytest.fixture(scope="module")
def loud(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", str(wheels))
        folder = tmp_path_factory.mktemp("loud")
        for path, text in (("providers/inference/acme.yaml", PROVIDER), ("distributions/loud.yaml", DISTRIBUTION)):
            (folder / "specs" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "specs" / path).write_text(text)
        for words in (("lock",), ("check",), ("build", "loud", "--out", "loud")):
            done = stackgen(*words, "--specs", "specs", cwd=folder)
            assert done.returncode == 0, done.stderr
        # No cache: the wheels of another run have other bytes under the same versions.
        python = environment_for(folder / "loud", folder / "envs", lambda _: None)
        install(python, ["mypy", "ruff"])
    return Built("loud", folder / "loud", python)


def test_its_fit_is_proved_by_the_type_checker(loud: Built) -> None:
    run(loud.python, "-m", "mypy", "--strict", "src", cwd=loud.folder)
    run(loud.python, "-m", "ruff", "check", ".", cwd=loud.folder)
    run(loud.python, "-m", "ruff", "format", "--check", ".", cwd=loud.folder)


def test_a_provider_that_does_not_fit_is_found_by_the_type_checker(loud: Built, tmp_path: Path) -> None:
    """One that answers with a class of its own: what a server with two copies of the contracts would be."""
    package = tmp_path / "acme_stack"
    package.mkdir()
    text = (THIRD_PARTY / "src" / "acme_stack" / "__init__.py").read_text()
    (package / "py.typed").touch()
    line = f"from {MODULE}.runtime.reply import Answer, Events\n"
    assert line in text
    copied = (Path(__file__).parents[2] / "templates" / "parts" / "runtime" / "reply.py").read_text()
    (package / "reply.py").write_text(copied)
    (package / "__init__.py").write_text(text.replace(line, "from .reply import Answer, Events\n"))
    done = subprocess.run(
        [loud.python, "-m", "mypy", "--strict", "--no-incremental", "src"],
        cwd=loud.folder,
        env={"MYPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wiring.py" in done.stdout
    assert '"Acme | None"; expected "str": "Chat | None"' in done.stdout


def ask(server: Running, path: str, body: object = None) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def chat(content: object, **more: object) -> dict[str, object]:
    return {"model": "polly/echo", "messages": [{"role": "user", "content": content}], **more}


def test_it_is_served_like_one_of_ours(loud: Built) -> None:
    with loud.serve({"ACME_KEY": "k", "VOLUME": "9", "QUIET_KEY": "broken"}) as server:
        status, said = ask(server, "/v1/chat/completions", chat("hello there"))
        assert (status, json.loads(said)["choices"][0]["message"]["content"]) == (200, "9: hello there")

        status, said = ask(server, "/v1/chat/completions", chat([{"type": "text", "text": "hello"}]))
        error = json.loads(said)["error"]
        assert (status, error["code"], error["type"]) == (400, "acme_text", "invalid_request_error")

        status, said = ask(server, "/v1/chat/completions", chat("hello", stream=True))
        events = said.split(b"\n\n")
        assert (status, events[-2:]) == (200, [b"data: [DONE]", b""])
        deltas = [json.loads(each[6:])["choices"][0]["delta"].get("content", "") for each in events[:-2]]
        assert "".join(deltas) == "9: hello"

        status, said = ask(server, "/v1/chat/completions", {**chat("hello"), "model": "quiet/echo"})
        assert (status, json.loads(said)["error"]["message"]) == (503, "acme does not accept the key")

        models = json.loads(ask(server, "/v1/models")[1])["data"]
        assert {"polly/echo", "quiet/echo"} <= {each["id"] for each in models}
        health = {each["provider_id"]: each["health"] for each in json.loads(ask(server, "/v1/providers")[1])["data"]}
        assert health["polly"] == {"status": "OK", "message": "acme is awake"}
        assert health["quiet"] == {"status": "Error", "message": "acme does not accept the key"}
        assert b"broken" not in ask(server, "/v1/providers")[1]

        metrics = ask(server, "/metrics")[1].decode()
        assert "polly/echo" in metrics, "its account of tokens is the server's"


def test_its_settings_are_refused_like_those_of_ours(loud: Built) -> None:
    command = [loud.python, "-P", "-m", loud.module, "--port", "0"]
    environ = {"ACME_KEY": "k", "VOLUME": "12", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "providers.inference.polly.volume: nothing is louder than 11" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_contracts_are_refused(loud: Built) -> None:
    specs = loud.folder.parent / "specs"
    lock = specs / "lock" / "requirements.txt"
    text = lock.read_text()
    try:
        lock.write_text(text.replace(f"{API_PACKAGE}=={API_VERSION}", f"{API_PACKAGE}==9.9"))
        done = stackgen("check", "--specs", "specs", "loud", cwd=specs.parent)
    finally:
        lock.write_text(text)
    assert done.returncode == 1
    assert "SG715" in done.stderr
    assert f"{API_PACKAGE} 9.9" in done.stderr
    assert API_VERSION in done.stderr
