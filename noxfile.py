"""What can be run here. `nox` alone runs all that CI runs; `nox -s NAME` one of these; `nox -l` lists them.

lint        ruff over everything written by hand and everything generated
types       mypy --strict over the compiler, the parts and each generated package
tests       the fast tests: seconds
torch       the tests of what needs torch
contracts   are the committed contracts what specs/apis compile to?
drift       are contracts, lock and generated/ what the specs say?
instructions  what the built gateway costs in instructions, beside what it did; needs valgrind
slow        built servers in clean environments, in front of a real llama.cpp with a real model, driven by real clients
built       one distribution installed with pip alone, checked, started, stopped, weighed: built(gateway), …
regen       write contracts and generated/ anew (not in CI)
bench       what built servers cost beside relays written by hand, and what builds cost (not in CI)
flat        what a request costs, beside the server's size and its load (not in CI)
bench_embeddings  what embeddings cost beside the library they are made with (not in CI)
bench_inline  what models for text give inside a server, beside the libraries that run them (not in CI)

Needs Python 3.11 or newer and the package registry. With uv (`pip install nox uv`) environments are made faster.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests", "drift", "torch", "instructions", "slow", "built"]

ROOT = Path(__file__).parent
GENERATED = sorted(path for path in (ROOT / "generated").glob("*") if path.is_dir())
HAND_WRITTEN = ("generator", "templates/parts", "tests", "noxfile.py")
GROUPS = nox.project.load_toml("pyproject.toml")
DISTRIBUTIONS = ("gateway", "local", "nvidia", "starter")
TORCH = "torch==2.13.0"


def install(session: nox.Session, *groups: str) -> None:
    """The locked packages that servers run on, then stackgen as it stands here with what these groups name."""
    session.install("--no-deps", "--require-hashes", "-r", "specs/lock/requirements.txt")
    session.install("-e", ".[contracts,lock]", *nox.project.dependency_groups(GROUPS, *groups))


def install_torch(session: nox.Session) -> None:
    """A build of torch for CPUs, before anything asks for torch and gets gigabytes for a GPU: from the folder that pip
    looks into, if it is told to, else from where uv knows it to be. UV_TORCH_BACKEND names another (cu128, auto, …).
    """
    links = os.environ.get("PIP_FIND_LINKS", "")
    where = {"UV_FIND_LINKS": links} if links else {"UV_TORCH_BACKEND": os.environ.get("UV_TORCH_BACKEND", "cpu")}
    session.install(TORCH, env=where)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff over everything written by hand and everything generated."""
    session.install(*nox.project.dependency_groups(GROUPS, "lint"))
    session.run("ruff", "check", *HAND_WRITTEN)
    session.run("ruff", "format", "--check", *HAND_WRITTEN)
    # In a generated package they stand under ruff's own rules, not under ours.
    session.run("ruff", "check", "--isolated", "--line-length", "120", "templates/parts")
    for package in GENERATED:
        with session.chdir(package):
            session.run("ruff", "check", ".")
            session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over the compiler, the parts and each generated package."""
    install(session, "types")
    session.run("mypy", "generator/stackgen")
    session.run("mypy", "templates/parts")
    for package in GENERATED:
        with session.chdir(package):
            session.run("mypy", "--strict", "src")


@nox.session
def tests(session: nox.Session) -> None:
    """The fast tests."""
    install(session, "test")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
def torch(session: nox.Session) -> None:
    """The tests of what needs torch."""
    install_torch(session)
    install(session, "test", "torch")
    folders = [f"tests/parts/{api}/in_torch" for api in ("inference", "post_training", "safety")]
    session.run("pytest", "-m", "torch", *(session.posargs or folders))


@nox.session
def contracts(session: nox.Session) -> None:
    """Are the committed contracts what specs/apis compile to?"""
    install(session)
    session.run("stackgen", "contracts", "--check")


@nox.session
def drift(session: nox.Session) -> None:
    """Are contracts, lock and generated/ what the specs say?"""
    install(session)
    session.run("stackgen", "contracts", "--check")
    session.run("stackgen", "lock", "--check")
    for package in GENERATED:
        session.run("stackgen", "build", package.name, "--out", str(package), "--check")


@nox.session
def instructions(session: nox.Session) -> None:
    """What the built gateway costs in instructions, beside what it did."""
    if shutil.which("valgrind") is None:
        session.skip("counting instructions needs valgrind, which is not here (Debian: apt-get install valgrind)")
    install(session)
    session.run("python", "tests/bench/instructions.py", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Built servers, real models in them or in a real llama.cpp behind them, driven by real clients."""
    install(session, "test", "types", "lint", "clients")
    # Its real small model; torch, which that asks for, is not needed here.
    session.install("--no-deps", *nox.project.dependency_groups(GROUPS, "torch"))
    elsewhere = ("--ignore=tests/built/test_install.py", "--ignore=tests/built/test_budget.py")
    session.run("pytest", "-m", "slow", *elsewhere, *session.posargs)


@nox.session
@nox.parametrize("distribution", DISTRIBUTIONS, ids=DISTRIBUTIONS)
def built(session: nox.Session, distribution: str) -> None:
    """One distribution installed with pip alone, checked, started, stopped, weighed."""
    install(session, "test", "types", "lint")
    tests = ("tests/built/test_install.py", "tests/built/test_budget.py")
    session.run("pytest", "-m", "slow", *tests, "-k", distribution, *session.posargs)


@nox.session
def regen(session: nox.Session) -> None:
    """Write contracts and generated/ anew."""
    install(session)
    session.run("stackgen", "contracts")
    for package in GENERATED:
        session.run("stackgen", "build", package.name, "--out", str(package))


@nox.session
def flat(session: nox.Session) -> None:
    """What a request costs, beside the server's size and its load; `-- models bodies` for some of the tables."""
    install(session)
    session.run("python", "tests/bench/flat.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What built servers cost beside relays written by hand, and what builds cost."""
    install(session)
    session.run("python", "tests/bench/bench.py", *session.posargs)


@nox.session
def bench_embeddings(session: nox.Session) -> None:
    """What embeddings cost beside the library they are made with."""
    install_torch(session)
    install(session, "test", "torch")
    session.run("python", "tests/bench/embeddings.py", *session.posargs)


@nox.session
def bench_inline(session: nox.Session) -> None:
    """What models for text give inside a server, beside the libraries that run them."""
    install_torch(session)
    install(session, "test", "torch", "clients")
    session.run("python", "tests/bench/inline.py", *session.posargs)
