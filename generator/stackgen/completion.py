"""`stackgen completion SHELL`: what a shell needs to complete stackgen's commands and options, from the parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab

SHELLS = ("bash", "fish", "zsh")


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The text to be sourced by the shell. Values that are paths are completed as such."""
    for action in _actions(parser):
        if action.type is Path:
            complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            setattr(action, "complete", complete)  # noqa: B010  # shtab's way of saying it, which argparse does not know
    return str(shtab.complete(parser, shell=shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # argparse has no public name for them
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
