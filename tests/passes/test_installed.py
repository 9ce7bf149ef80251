"""Providers of a package that is installed beside stackgen. A case cannot reach them: it installs nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stackgen.problems import format_problems
from stackgen.resolve import check, compile_plan
from stackgen.workspace import find_roots

SPEC = """\
type: remote::acme
api: inference
summary: A third party's.
package: acme-stack==1.2
import: acme_stack.chat:open_acme
class: AcmeConfig
capabilities: [chat]
takes: {instance: id}
config:
  properties:
    volume: {type: integer, default: 5}
"""
DISTRIBUTION = """\
name: loud
apis: [inference, models, inspect, providers]
providers:
  inference: [{id: acme, type: remote::acme}]
"""
SOURCE = """\
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .base import Base

raise SystemExit("this must not be run")


@dataclass(frozen=True, kw_only=True)
class AcmeConfig:
    volume: int


class Acme(Base):
    async def create_chat_completion(self, request, ctx): ...


@asynccontextmanager
async def open_acme(config: AcmeConfig, *, instance: str) -> AsyncIterator[Acme]:
    yield Acme()
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with acme-stack 1.2."""
    folder = tmp_path / "site"
    info = folder / "acme_stack-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-stack\nVersion: 1.2\n")
    (info / "RECORD").write_text("acme_stack/__init__.py,,\nacme_stack/base.py,,\nacme_stack/chat.py,,\n")
    (folder / "acme_stack").mkdir()
    (folder / "acme_stack/__init__.py").write_text("")
    (folder / "acme_stack/base.py").write_text("class Base:\n    pass\n")
    (folder / "acme_stack/chat.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    for path, text in (("providers/inference/acme.yaml", SPEC), ("distributions/loud.yaml", DISTRIBUTION)):
        (tmp_path / "specs" / path).parent.mkdir(parents=True)
        (tmp_path / "specs" / path).write_text(text)
    return tmp_path / "specs"


def told(specs: Path) -> str:
    return format_problems(check(find_roots([specs]), ["inference/acme"]))


def test_what_fits_is_no_problem(site: Path, specs: Path) -> None:
    assert told(specs) == ""
    assert not isinstance(compile_plan(find_roots([specs]), "loud"), list)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "chat.py",
            "def open_acme",
            "def open_acne",
            "acme.yaml:5:9: error SG703: acme_stack/chat.py has no open_acme",
        ),
        ("chat.py", "create_chat_completion", "chat", "acme_stack/chat.py:15:1: error SG706: Acme has no method"),
        (
            "chat.py",
            "volume: int",
            "volume: str",
            "error SG705: volume does not fit its field in acme_stack/chat.py:12",
        ),
        (
            "chat.py",
            "volume: int",
            "loudness: int",
            "error SG705: AcmeConfig in acme_stack/chat.py has no field volume",
        ),
        ("chat.py", "instance: str", "name: str", "error SG704: open_acme takes no keyword argument 'instance'"),
        ("chat.py", "config: AcmeConfig", "config: Other", "acme.yaml:6:8: error SG705: open_acme takes Other"),
        ("chat.py", "raise SystemExit", "raise raise", "acme_stack/chat.py:7:7: error SG702"),
    ],
)
def test_what_does_not_fit_is_told_at_its_line(
    site: Path, specs: Path, file: str, old: str, new: str, said: str
) -> None:
    source = site / "acme_stack" / file
    source.write_text(source.read_text().replace(old, new))
    answer = told(specs)
    assert said in answer
    assert str(site) not in answer


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from .base import Base", "from elsewhere import Base"),
        ("@asynccontextmanager\nasync def open_acme", "from elsewhere import open_acme\nasync def other"),
    ],
)
def test_what_comes_from_elsewhere_is_left_to_the_type_checker(site: Path, specs: Path, old: str, new: str) -> None:
    source = site / "acme_stack/chat.py"
    source.write_text(source.read_text().replace(old, new).replace("create_chat_completion", "inherited"))
    assert told(specs) == ""


def test_another_version_says_nothing_of_the_one_that_is_pinned(site: Path, specs: Path) -> None:
    (site / "acme_stack/chat.py").write_text("")
    metadata = site / "acme_stack-1.2.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("1.2\n", "1.3\n"))
    os.rename(metadata.parent, site / "acme_stack-1.3.dist-info")
    assert told(specs) == ""


def test_a_package_that_is_not_installed_is_not_needed(specs: Path) -> None:
    assert told(specs) == ""
