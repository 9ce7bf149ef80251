"""The package that third parties write providers against: what it holds, and that a server can take its parts from it.

No case can tell of files; that it serves is shown in tests/built/test_api_package.py.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from stackgen.api_package import LEAST, MODULE, RUNTIME, TYPES_ONLY, api_files, api_parts, compatible
from stackgen.api_package.stand_ins import stand_in
from stackgen.cli import main
from stackgen.requirements import API_PACKAGE, API_VERSION
from stackgen.trim import Trimmed, trim
from stackgen.workspace import find_roots

ROOTS = find_roots(())
PARTS = ROOTS.trees[0].parts
API = api_parts(ROOTS)

NOT_FOR_THIRD_PARTIES = {
    "runtime/aws.py": "botocore: credentials and signatures of Amazon's",
    "runtime/forwarding.py": "of providers whose headers a distribution chooses",
    "runtime/google_tokens.py": "google-auth: credentials of Google's",
    "runtime/openmp.py": "of libraries that compute inside the server; a third party knows its own",
    "runtime/relay.py": "aiohttp: a third party reaches its service as it likes",
    "runtime/settings.py": "reads settings, which the server does before it opens anything",
    "runtime/upstream.py": "aiohttp",
    "runtime/upstream_config.py": "the settings of runtime/upstream.py",
    "runtime/upstream_errors.py": "aiohttp",
    "runtime/upstream_reply.py": "aiohttp",
}
"""Parts of the runtime that our own providers of inference import, and those of others do without."""


def everything() -> Trimmed:
    paths = [path.relative_to(PARTS).as_posix() for path in sorted(PARTS.rglob("*.py"))]
    return trim(paths, lambda path: (PARTS / path).read_bytes() if (PARTS / path).is_file() else None)


ALL = everything()


def names_in(path: str) -> set[str]:
    """What the stand-in for a part offers."""
    tree = ast.parse(stand_in(path, API.files[path].content))
    listed = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    return set(ast.literal_eval(listed[0])) if listed else set()


# ── what it holds ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_closed_under_imports_and_needs_pydantic_alone() -> None:
    assert API.absent == ()
    assert [each for part in API.files.values() for each in part.missing] == []
    assert set(API.packages()) == {"pydantic", "pydantic_core", *TYPES_ONLY}
    for path, part in API.files.items():
        imports = [node for node in ast.parse(part.content).body if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = {name for each in imports for name in ({each.names[0].name} | {getattr(each, "module", None) or ""})}
        assert not {each.partition(".")[0] for each in modules} & TYPES_ONLY, f"{path} needs it when it is imported"


def test_it_has_the_contract_of_every_api() -> None:
    assert {f"contracts/{name}/__init__.py" for name in ROOTS.names("apis")} <= API.files.keys()


def runtime_of(*folders: str) -> set[str]:
    """The modules of the runtime that the parts in these folders import."""
    ours = [part for path, part in ALL.files.items() if path.startswith(folders)]
    return {each.module for part in ours for each in part.local if each.module.startswith("runtime/")}


def test_it_has_what_our_own_providers_are_written_with() -> None:
    others = ("providers/conversations/", "providers/models/", "providers/prompts/", "providers/tool_groups/")
    used = runtime_of("providers/inference/")
    assert used - API.files.keys() <= NOT_FOR_THIRD_PARTIES.keys()
    assert set(RUNTIME) <= used | runtime_of(*others), "nothing is there that no provider needs"


def test_its_files_are_the_parts_byte_for_byte() -> None:
    files = api_files(ROOTS)
    for path in API.files:
        assert files[f"src/{MODULE}/{path}"] == (PARTS / path).read_bytes()
    project = tomllib.loads(files["pyproject.toml"].decode())["project"]
    assert (project["name"], project["version"]) == (API_PACKAGE, API_VERSION)
    assert project["dependencies"] == [f"{name}>={version}" for name, version in LEAST.items()]
    assert f"`{API_PACKAGE}{compatible(API_VERSION)}`".encode() in files["README.md"]


@pytest.mark.parametrize(("version", "wanted"), [("0.1.4", ">=0.1.4,<0.2"), ("1.2.3", ">=1.2.3,<2")])
def test_a_provider_declares_what_cannot_break_it(version: str, wanted: str) -> None:
    assert compatible(version) == wanted


def test_its_readme_names_modules_that_are_there() -> None:
    readme = api_files(ROOTS)["README.md"].decode()
    for path in RUNTIME:
        assert f".{path.removeprefix('runtime/').removesuffix('.py')}`" in readme, path


# ── in a server ─────────────────────────────────────────────────────────────────────────────────────────────────────


def imported(path: str) -> Iterator[tuple[str, str]]:
    """(part of the package, name) for each name that a part imports from one."""
    tree = ast.parse((PARTS / path).read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.split("/")[: -node.level]
            stem = "/".join([*folder, *(node.module or "").split(".")]).strip("/")
            for target in (f"{stem}.py", f"{stem}/__init__.py"):
                if target in API.files:
                    yield from ((target, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", sorted(ALL.files.keys() - API.files.keys()))
def test_a_stand_in_offers_what_other_parts_import(path: str) -> None:
    for target, name in imported(path):
        assert name in names_in(target), f"{path} imports {name} from {target}"


def test_a_part_that_defines_nothing_stands_for_itself() -> None:
    assert stand_in("contracts/__init__.py", b"") == b""
    assert stand_in("contracts/shared/__init__.py", b'"""Shared."""\n') == b'"""Shared."""\n'


def test_a_stand_in_names_what_is_public() -> None:
    part = (
        b'T = TypeVar("T")\nWORD = 1\n_own = 2\nname: int = 3\n\n\nclass Error(Exception): ...\n\n\ndef tell(): ...\n'
    )
    assert stand_in("runtime/errors.py", part).decode() == (
        f'"""As {MODULE} has it, so that its providers and this server mean the same."""\n\n'
        f"from {MODULE}.runtime.errors import WORD, Error, name, tell\n\n"
        '__all__ = ["WORD", "Error", "name", "tell"]\n'
    )


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_written_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "api"
    assert main(["api-package", "--out", str(out)]) == 0
    assert f"{API_PACKAGE} {API_VERSION}" in capsys.readouterr().out
    assert main(["api-package", "--out", str(out), "--check"]) == 0
    (out / "src" / MODULE / "runtime" / "errors.py").write_text("")
    (out / "src" / MODULE / "more.py").write_text("")
    assert main(["api-package", "--out", str(out), "--check"]) == 1
    told = capsys.readouterr().err
    assert "changed: " in told
    assert "orphaned: " in told
    assert f"run: stackgen api-package --out {out}" in told


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["api-package", "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
