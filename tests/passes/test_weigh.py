"""What packages weigh, from what uv writes of them: no case resolves anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from stackgen.lockfile import Locked, Weight
from stackgen.plan import External
from stackgen.sizes import size_text, total_text, weight_text
from stackgen.weigh import weigh

ADDRESS = "https://index.example/"


def file(name: str, size: int | None) -> dict[str, object]:
    """A wheel or an sdist, as pylock.toml has it; its digest begins with its size."""
    digest = f"{size or 0:08d}".ljust(64, "0")
    return {"url": ADDRESS + name, "hashes": {"sha256": digest}, **({"size": size} if size is not None else {})}


def weighed(package: dict[str, object]) -> Weight:
    table = {"name": "acme", "version": "1.2", **package}
    return weigh({"lock-version": "1.0", "created-by": "uv", "packages": [table]})["acme", "1.2"]


SDIST = {"sdist": file("acme-1.2.tar.gz", 999)}
NEXT = {"sdist": file("acme-1.3.tar.gz", 999)}


@pytest.mark.parametrize(
    ("package", "size"),
    [
        # Of its own Python before that of all, on its own platform before any.
        (
            {
                "wheels": [
                    file("acme-1.2-py3-none-any.whl", 1),
                    file("acme-1.2-cp310-cp310-manylinux_2_17_x86_64.whl", 2),
                    file("acme-1.2-cp311-cp311-macosx_11_0_arm64.whl", 3),
                    file("acme-1.2-cp311-cp311-manylinux_2_17_aarch64.whl", 4),
                    file("acme-1.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", 5),
                    file("acme-1.2-cp311-cp311-musllinux_1_2_x86_64.whl", 6),
                    file("acme-1.2-cp312-cp312-manylinux_2_17_x86_64.whl", 7),
                    file("acme-1.2-cp311-cp311-win_amd64.whl", 8),
                ],
                **SDIST,
            },
            5,
        ),
        ({"wheels": [file("acme-1.2-cp39-abi3-manylinux_2_28_x86_64.whl", 5)]}, 5),
        ({"wheels": [file("acme-1.2-py2.py3-none-any.whl", 5)], **SDIST}, 5),
        # None that it can take: the source.
        ({"wheels": [file("acme-1.2-cp311-cp311-win_amd64.whl", 8)], **SDIST}, 999),
        ({"wheels": [file("acme-1.2-cp311-cp311-manylinux_2_99_x86_64.whl", 8)], **SDIST}, 999),
        (SDIST, 999),
    ],
)
def test_what_is_weighed_is_what_the_machine_takes(package: dict[str, object], size: int) -> None:
    assert weighed(package) == Weight(size, f"sha256:{size:08d}".ljust(71, "0"))


@pytest.mark.parametrize("marker", ["sys_platform == 'win32'", "python_full_version >= '3.12'"])
def test_what_is_not_for_it_weighs_nothing(marker: str) -> None:
    assert weighed({"marker": marker, **SDIST}) == Weight(0)


@pytest.mark.parametrize(
    "package",
    [
        {"wheels": [file("acme-1.2-cp311-cp311-win_amd64.whl", 8)]},
        {"sdist": file("acme-1.2.tar.gz", None)},
        {"wheels": [file("acme-1.2-py3-none-any.whl", 5)], "sdist": file("acme.tar.gz", 5)},
        {"vcs": {"type": "git", "url": ADDRESS, "commit-id": "0"}},
    ],
    ids=["no file for it", "an index without sizes", "a file named as none", "not of an index"],
)
def test_what_cannot_be_weighed_is_unknown(package: dict[str, object]) -> None:
    assert weighed(package) == Weight(None)


def test_a_wheel_of_this_machine_is_weighed_as_it_is(tmp_path: Path) -> None:
    """uv tells no size of what it found in a folder."""
    wheel = tmp_path / "a folder" / "acme-1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"x" * 42)
    found = weighed({"wheels": [{"url": wheel.as_uri(), "hashes": {"sha256": "0" * 64}}]})
    assert found == Weight(42, "sha256:" + "0" * 64)


def test_each_version_of_a_fork_has_its_own() -> None:
    tables = [
        {"name": "acme", "version": "1.2", "marker": "python_full_version < '3.12'", **SDIST},
        {"name": "acme", "version": "1.3", "marker": "python_full_version >= '3.12'", **NEXT},
        {"name": "acme", "version": "1.2", "marker": "sys_platform == 'win32'", **SDIST},
    ]
    found = weigh({"lock-version": "1.0", "created-by": "uv", "packages": tables})
    assert {key: weight.size for key, weight in found.items()} == {
        ("acme", "1.2"): 999,
        ("acme", "1.3"): 0,
    }


def test_a_later_format_is_refused() -> None:
    with pytest.raises(ValueError, match="is not supported"):
        weigh({"lock-version": "2.0", "created-by": "uv", "packages": []})


# ── as text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def locked(name: str, weight: Weight | None, version: str = "1") -> Locked:
    return Locked(name=name, version=version, hashes=("sha256:0",), via=("specs",), weight=weight)


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (Weight(2048, "sha256:0"), "2.0 KiB"),
        (Weight(0), "not needed"),
        (Weight(None), "unknown"),
        (Weight(2048, "sha256:1"), "unknown"),
        (None, "unknown"),
    ],
    ids=["weighed", "not for it", "not told", "of another version", "of an older lock"],
)
def test_what_a_package_weighs(weight: Weight | None, told: str) -> None:
    assert weight_text(locked("acme", weight)) == told


@pytest.mark.parametrize(("size", "told"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 1024**2, "3.0 MiB")])
def test_sizes_are_told_in_binary_units(size: int, told: str) -> None:
    assert size_text(size) == told


def test_a_sum_says_what_is_not_in_it() -> None:
    kib = Weight(1024, "sha256:0")
    machine = "to download for CPython 3.11 on Linux x86-64"
    torch = External("torch", ">=2", "", ())
    assert total_text([locked("a", kib)], ()) == f"1 package, 1.0 KiB {machine}"
    forked = [locked("a", kib, "1"), locked("a", Weight(0), "2"), locked("b", kib)]
    assert total_text(forked, ()) == f"2 packages, 2.0 KiB {machine}"
    unknown = [locked("a", kib), locked("b", None), locked("c", Weight(None))]
    assert total_text(unknown, [torch]) == f"3 packages, 1.0 KiB {machine}, without b, c, torch"
    assert total_text([locked("a", None), locked("b", None)], ()) == "2 packages, whose weight is unknown"
