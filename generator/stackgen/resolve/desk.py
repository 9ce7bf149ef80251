"""What every step of resolving shares: the files read so far, the parts, and the problems found."""

from __future__ import annotations

import posixpath
from collections.abc import Container, Mapping

from ..load import Document, load
from ..parts import Parts
from ..plan import JsonValue, Position
from ..problems import Problem
from ..validate import Schemas
from ..workspace import Roots, SpecFile


class Desk:
    """One run of the compiler. Each file is read and validated once."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.parts = Parts(roots)
        self.schemas = Schemas(roots.schema)
        self.problems: list[Problem] = []
        self._documents: dict[str, Document | None] = {}
        self._raw: dict[str, Document] = {}

    def report(
        self,
        code: str,
        position: Position,
        message: str,
        *,
        expected: str = "",
        found: str = "",
        nearest: str | None = None,
        mend: str = "",
    ) -> None:
        self.problems.append(Problem(code, position, message, expected, found, nearest, mend))

    def withdraw(self, codes: Container[str], position: Position) -> None:
        """Take back what the schema said of a value, where more is known of it now."""
        self.problems = [each for each in self.problems if each.position != position or each.code not in codes]

    def document(self, relative: str) -> Document | None:
        """The spec of this path ("apis/models.yaml"), checked against its schema; None if no root has one."""
        if relative not in self._documents:
            files = self.roots.find(relative)
            self._documents[relative] = self._chosen(relative, files) if files else None
        return self._documents[relative]

    def lay(self, relative: str, document: Document) -> None:
        """Take a document, checked against its schema, for the spec of this path, whatever lies there."""
        self._documents[relative] = document
        self.problems += self.schemas.check(document, _kind(relative))

    def shared(self, document: Document, reference: str) -> tuple[Document | None, str]:
        """The file that a relative reference in a document names, and its path below the root's specs."""
        folder = posixpath.dirname(self.relative(document))
        path = posixpath.normpath(posixpath.join(folder, reference))
        return self.document(path), path

    def relative(self, document: Document) -> str:
        """A document's path below its root's specs."""
        labels = (tree.label for tree in self.roots.trees if tree.label and document.file.startswith(tree.label))
        return document.file.removeprefix(next(labels, ""))

    def read(self, file: SpecFile) -> Document:
        """A file as it is, its problems noted once."""
        key = str(file.path)
        if key not in self._raw:
            self._raw[key], problems = load(file.path, file.label)
            self.problems += problems
        return self._raw[key]

    def _chosen(self, relative: str, files: list[SpecFile]) -> Document:
        """The last of several files of one path, if each but the first says that it replaces."""
        chosen = self.read(files[0])
        name = posixpath.basename(relative).removesuffix(".yaml")
        for number, file in enumerate(files):
            document = self.read(file)
            replaces = mapping(document.data).get("replaces")
            if replaces in (True, name) and number == 0:
                self.report(
                    "SG207",
                    document.key("replaces"),
                    f"no other root has {relative}",
                    found=f"replaces: {str(replaces).lower()}",
                )
            elif isinstance(replaces, str) and replaces != name:
                said = "a file stands in place of one of its own name, and of no other"
                self.report("SG207", document.at("replaces"), said, expected=f"true or {name}", found=replaces)
            elif number and replaces is not True and replaces != name:
                self.report(
                    "SG206", document.at(), f"{relative} is there already", found=f"{chosen.file}, of this name"
                )
            else:
                chosen = document
        if chosen.data is not None:
            self.problems += self.schemas.check(chosen, _kind(relative))
        elif not any(p.position.file == chosen.file for p in self.problems):
            self.report("SG203", chosen.at(), "the file is empty", expected="a mapping", found="nothing")
        return chosen


def _kind(relative: str) -> str:
    """Which schema a spec keeps to: "provider" for "providers/inference/openai.yaml"."""
    folder, _, rest = relative.rpartition("/")[0].partition("/")
    kind = folder.removesuffix("s") or relative.removesuffix(".yaml")
    return f"shared-{kind}" if rest == "shared" else kind


def mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """The value if it is a mapping, else an empty one: what is malformed is told by the schema, and passed
    over here."""
    return value if isinstance(value, dict) else {}


def sequence(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(each for each in sequence(value) if isinstance(each, str))
