"""stackgen itself as a wheel: it carries its schema, specs and templates, and needs no checkout."""

from __future__ import annotations

import json
import subprocess
import urllib.request
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from stackgen.environment import environment_for

from .servers import ROOT, clean_environ, free_port, running, stackgen

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "maker", with_pip=True)
    run(
        folder / "maker" / "bin" / "python",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "-w",
        folder,
        ROOT,
        cwd=folder,
    )
    return next(folder.glob("stackgen-*.whl"))


def test_it_carries_what_it_compiles_from(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "stackgen/data/specs/lock/requirements.txt" in names
    assert "stackgen/data/specs/distributions/gateway.yaml" in names
    assert any(name.startswith("stackgen/data/schema/") for name in names)
    assert any(name.startswith("stackgen/data/templates/jinja/") for name in names)
    assert "stackgen/data/templates/scaffold/workspace/.github/workflows/check.yml" in names
    assert not any("__pycache__" in name or name.startswith("tests/") for name in names)


def test_it_builds_the_same_bytes_as_the_checkout_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    command = tmp_path / "env" / "bin" / "stackgen"
    run(tmp_path / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "gateway" in run(command, "list", "distributions", cwd=empty)
    run(command, "build", "gateway", "--out", "out", cwd=empty)
    done = stackgen("build", "gateway", "--out", tmp_path / "of-checkout")
    assert done.returncode == 0, done.stderr
    assert files(empty / "out") == files(tmp_path / "of-checkout")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_missing_tool_is_no_traceback(wheel: Path, tmp_path: Path) -> None:
    """Without uv, `lock` says what to install; the wheel's plain requirements have none."""
    venv.create(tmp_path / "env", with_pip=True)
    run(tmp_path / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "stackgen", "lock"],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "stackgen[lock]" in done.stderr


MIXED = """\
name: mixed
summary: Providers and an API of our own, one provider in place of a bundled one, and bundled ones.
apis: [inference, models, weather_maps, inspect, providers]
providers:
  inference:
    - {id: polly, type: inline::parrot, config: {greeting: "${env.GREETING}"}}
    - {id: replaced, type: remote::ollama}
    - {id: "${env.OPENAI_API_KEY:+openai}", type: remote::openai, config: {api_key: "${env.OPENAI_API_KEY:=}"}}
server: {port: 8321}
"""


def test_a_workspace_is_made_filled_built_and_served(wheel: Path, tmp_path: Path) -> None:
    """From an empty folder: an API and providers of one's own, a package that only they need, one of ours replaced."""
    venv.create(tmp_path / "env", with_pip=True)
    python, command = tmp_path / "env" / "bin" / "python", tmp_path / "env" / "bin" / "stackgen"
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[contracts,lock]", "pytest", cwd=tmp_path)
    run(command, "init", "our-servers", cwd=tmp_path)
    ours = tmp_path / "our-servers"
    run(command, "new", "provider", "parrot", cwd=ours)
    run(command, "new", "api", "weather_maps", cwd=ours / "distributions")
    run(command, "check", cwd=ours)
    change(ours / "parts/providers/inference/parrot.py", "import uuid\n", "import uuid\nimport tabulate\n")
    change(
        ours / "parts/providers/inference/parrot.py", "{self._greeting}:", "{tabulate.tabulate([[self._greeting]])}:"
    )
    assert "requires: [tabulate]" in refused(command, "check", "mixed", ours, "SG709")
    change(ours / "providers/inference/parrot.yaml", "requires: []", "requires: [tabulate]")
    refused(command, "build", "mixed", ours, "SG711")
    run(command, "lock", cwd=ours)
    assert "\ntabulate==" in (ours / "lock/requirements.txt").read_text()
    (ours / "providers/inference/ollama.yaml").write_text(
        (ours / "providers/inference/hello.yaml").read_text().replace("inline::hello", "remote::ollama")
    )
    refused(command, "check", "mixed", ours, "SG206")
    with (ours / "providers/inference/ollama.yaml").open("a") as spec:
        spec.write("replaces: true\n")
    for words in (("check",), ("lock", "--check"), ("contracts", "--check"), ("build", "mixed")):
        run(command, *words, cwd=ours)

    served = environment_for(ours / "generated/mixed", tmp_path / "envs", lambda _: None)
    port = free_port()
    words = [served, "-m", "mixed_stack", "--port", str(port)]
    environ = clean_environ({"GREETING": "Aye"})
    with running(words, port=port, ready="/v1/health", environ=environ, log=tmp_path / "log") as server:
        for model, said in (("polly/echo", "---\nAye\n---: hello"), ("replaced/echo", "You said: hello")):
            body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
            answer = post(f"{server.url}/v1/chat/completions", body)
            assert answer["choices"][0]["message"]["content"] == said
        assert post(f"{server.url}/v1alpha/weather-maps", {"text": "tomorrow?"}) == {"text": ""}

    # The tests that came with it, in an environment that has what its servers need.
    requirements = ours / "generated/mixed/requirements.txt"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", requirements, cwd=tmp_path)
    assert " passed" in run(python, "-m", "pytest", "-q", cwd=ours)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def refused(command: Path, verb: str, name: str, workspace: Path, code: str) -> str:
    """What is said of a distribution, which must have this problem."""
    (workspace / "distributions/mixed.yaml").write_text(MIXED)
    done = subprocess.run([command, verb, name], cwd=workspace, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"error {code}:" in done.stderr
    return done.stderr


def post(url: str, body: dict[str, object]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
