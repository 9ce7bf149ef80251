"""`stackgen run`: one command from specs to a server that answers."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

import pytest

from .servers import ROOT, free_port, running

pytestmark = pytest.mark.slow


def test_run_builds_installs_and_serves(tmp_path: Path) -> None:
    port = free_port()
    program = "import sys; from stackgen.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", "gateway", "--port", str(port)]
    # Here the whole environment counts: it may say how the package registry is reached.
    environ = {name: text for name, text in os.environ.items() if not name.endswith("_API_KEY")}
    environ["PYTHONPATH"] = str(ROOT / "generator")
    with running(command, port=port, ready="/v1/health", environ=environ, log=tmp_path / "log") as server:
        with urllib.request.urlopen(server.url + "/v1/models", timeout=10) as answer:
            assert answer.status == 200
        assert server.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".stackgen", "log"]
    said = server.log.read_text()
    assert "stackgen run: making the environment" in said
    assert "stackgen run: starting gateway" in said
