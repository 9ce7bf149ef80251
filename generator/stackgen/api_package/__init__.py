"""`stackgen-api`: the contracts, what they are made of, and the contract suites, as a package of their own.

A third party writes a provider against it and proves it, without the compiler. It is made of the parts that servers are
made of, so there is no second copy; and a server with such a provider takes these parts from it (`stand_ins`), so
that both name the same classes.

    api_parts(roots)   →  Trimmed(files={"contracts/inference/__init__.py": …, "runtime/errors.py": …, …})
    api_files(roots)   →  {"pyproject.toml": …, "src/stackgen_api/runtime/errors.py": …, …}
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from .. import __version__
from ..render.code import string
from ..render.manifest import MANIFEST, MANIFEST_VERSION, digest
from ..render.printed import printed
from ..requirements import API_PACKAGE, API_VERSION
from ..trim import Trimmed, distribution_of, trim
from ..workspace import Roots

MODULE = "stackgen_api"

RUNTIME = (
    "runtime/context.py",
    "runtime/errors.py",
    "runtime/ids.py",
    "runtime/kv.py",
    "runtime/models.py",
    "runtime/owner.py",
    "runtime/reply.py",
    "runtime/secret.py",
    "runtime/splice.py",
    "runtime/sql.py",
    "runtime/sse.py",
    "runtime/tools.py",
    "runtime/wiring.py",
)
"""What a provider may import beside the contracts. Whatever these import comes along."""

TYPES_ONLY = frozenset({"sqlalchemy"})
"""What is imported for a type checker alone: whoever keeps something in a `Sql` has it."""

LEAST = {"pydantic": "2.9", "pydantic-core": "2.23"}
"""The oldest versions that the suites were seen to pass with, each with the other's oldest."""

OURS = "testing/storage/sql"
"""The suites that it does not hold: they speak SQLAlchemy, which a provider of a third party can do without."""

_TEMPLATES = ("api.README.md", "api.pyproject.toml", "api.__init__.py")


def api_parts(roots: Roots) -> Trimmed:
    """The parts that it holds: of stackgen's own tree, as a workspace's contracts are the workspace's to publish."""
    own = roots.trees[0].parts
    names = [
        path.relative_to(own).as_posix()
        for folder in ("contracts", "testing")
        for path in own.glob(f"{folder}/**/*.py")
        if not path.is_relative_to(own / OURS)
    ]
    return trim((*names, *RUNTIME), lambda path: (own / path).read_bytes() if (own / path).is_file() else None)


def api_files(roots: Roots) -> dict[str, bytes]:
    """A project that any builder of wheels can build, by path; MANIFEST.json last."""
    parts = api_parts(roots)
    view = {
        "name": string(API_PACKAGE),
        "module": MODULE,
        "version": string(API_VERSION),
        "range": compatible(API_VERSION),
        "dependencies": [string(each) for each in _dependencies(parts)],
    }
    texts = {
        name.removeprefix("api."): printed(name, (roots.templates / "jinja" / f"{name}.jinja").read_text("utf-8"), view)
        for name in _TEMPLATES
    }
    package = f"src/{MODULE}"
    files = {
        "README.md": texts["README.md"].encode(),
        "pyproject.toml": texts["pyproject.toml"].encode(),
        f"{package}/__init__.py": texts["__init__.py"].encode(),
        f"{package}/py.typed": b"",
        **{f"{package}/{path}": part.content for path, part in parts.files.items()},
    }
    listed = {path: digest(files[path]) for path in sorted(files)}
    said = {
        "manifest": MANIFEST_VERSION,
        "stackgen": __version__,
        "package": f"{API_PACKAGE} {API_VERSION}",
        "files": listed,
    }
    return {**{path: files[path] for path in sorted(files)}, MANIFEST: (json.dumps(said, indent=2) + "\n").encode()}


def compatible(version: str) -> str:
    """What a provider that is written with this version declares: up to the first one that may break it."""
    major, minor, _ = map(int, version.split("."))
    return f">={version},<{major + 1}" if major else f">={version},<0.{minor + 1}"


def _dependencies(parts: Trimmed) -> Iterator[str]:
    for module in parts.packages():
        name = distribution_of(module)
        if name in TYPES_ONLY:
            continue
        yield f"{name}>={LEAST[name]}"
