"""Files to disk: all or nothing, pruned, the same whoever writes them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from stackgen import write as writing
from stackgen.write import MANIFEST, NotOurs, compare, write


def build_of(**files: str) -> dict[str, bytes]:
    contents = {name.replace("__", "/").replace("_py", ".py"): text.encode() for name, text in files.items()}
    manifest = {"stackgen": "0.1.0", "files": dict.fromkeys(contents, "sha256:0")}
    return {**contents, MANIFEST: json.dumps(manifest).encode()}


def tree(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_holds_exactly_the_files(tmp_path: Path) -> None:
    files = build_of(src__a_py="a", src__b__c_py="c")
    write(tmp_path / "new" / "out", files)
    assert tree(tmp_path / "new" / "out") == files
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_what_is_no_longer_listed_goes_with_its_folders(tmp_path: Path) -> None:
    write(tmp_path / "out", build_of(src__a_py="a", src__b__c_py="c"))
    (tmp_path / "out/src/b/__pycache__").mkdir()
    write(tmp_path / "out", build_of(src__a_py="a"))
    assert not (tmp_path / "out/src/b").exists()
    assert (tmp_path / "out/src/a.py").exists()


def test_a_users_own_file_in_the_folder_stays(tmp_path: Path) -> None:
    write(tmp_path / "out", build_of(src__a_py="a", src__b__c_py="c"))
    (tmp_path / "out/src/b/notes.txt").write_text("mine")
    write(tmp_path / "out", build_of(src__a_py="a"))
    assert (tmp_path / "out/src/b/notes.txt").read_text() == "mine"


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(NotOurs, match="not empty"):
        write(tmp_path, build_of(a_py="a"))
    assert tree(tmp_path) == {"precious.txt": b"mine"}


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"name": "web app"}', '{"stackgen": "1", "files": []}'])
def test_a_manifest_of_somebody_else_makes_no_folder_ours(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(NotOurs):
        write(tmp_path, build_of(a_py="a"))


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    write(tmp_path, build_of(a_py="a"))
    assert (tmp_path / "a.py").read_text() == "a"


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(NotOurs):
        write(tmp_path / "out", build_of(a_py="a"))


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o027])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, mask: int) -> None:
    former = os.umask(mask)
    try:
        write(tmp_path / "out", build_of(src__a_py="a"))
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "out/src/a.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "out/src").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755


@pytest.mark.parametrize("path", ["../a.py", "/a.py", "a/../../b.py", "", ".", "a//b.py"])
def test_no_file_is_written_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        write(tmp_path / "out", {**build_of(b_py="b"), path: b"a"})
    assert not (tmp_path / "out").exists()


def test_a_manifest_cannot_have_files_outside_pruned(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    write(tmp_path / "out", {MANIFEST: b'{"stackgen": "0", "files": {"../precious.txt": ""}}'})
    write(tmp_path / "out", build_of(a_py="a"))
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_failed_build_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = build_of(a_py="a", b_py="b")
    write(tmp_path / "out", former)
    stage = writing._stage

    def full_disk(path: Path, content: bytes) -> None:
        if path.name == "b.py":
            raise OSError(28, "No space left on device")
        stage(path, content)

    monkeypatch.setattr(writing, "_stage", full_disk)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "out", build_of(a_py="new", b_py="new"))
    assert tree(tmp_path / "out") == former
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_in_a_files_place_gives_way_and_the_other_way_round(tmp_path: Path) -> None:
    write(tmp_path / "out", build_of(src__a="file", src__b__c_py="c"))
    files = build_of(src__a__d_py="d", src__b="file")
    write(tmp_path / "out", files)
    assert tree(tmp_path / "out") == files


def test_what_is_as_it_should_be_is_not_touched(tmp_path: Path) -> None:
    files = build_of(a_py="a")
    write(tmp_path / "out", files)
    os.utime(tmp_path / "out/a.py", (1, 1))
    write(tmp_path / "out", files)
    assert (tmp_path / "out/a.py").stat().st_mtime == 1


def drift(folder: Path, files: Mapping[str, bytes]) -> tuple[tuple[str, ...], ...]:
    found = compare(folder, files)
    return found.changed, found.missing, found.orphaned


def test_compare_finds_what_changed_is_missing_and_orphaned(tmp_path: Path) -> None:
    files = build_of(src__a_py="a", src__b_py="b", README="r")
    write(tmp_path, files)
    assert not compare(tmp_path, files)
    (tmp_path / "src/a.py").write_text("edited")
    (tmp_path / "README").unlink()
    (tmp_path / "src/own.py").write_text("x = 1")
    (tmp_path / "src/__pycache__").mkdir()
    (tmp_path / "src/__pycache__/a.cpython-311.pyc").write_bytes(b"")
    (tmp_path / "values.yaml").write_text("server: {}")
    before = tree(tmp_path)
    assert drift(tmp_path, files) == (("src/a.py",), ("README",), ("src/own.py",))
    assert tree(tmp_path) == before


def test_compare_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert drift(tmp_path / "out", build_of(a_py="a")) == ((), (MANIFEST, "a.py"), ())
