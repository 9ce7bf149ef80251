"""`stackgen run NAME`: build the server, make its environment, start it in place of this process.

Everything is kept under `.stackgen/` of the working directory, so that running never changes a tree of sources:
`.stackgen/build/NAME` is the package, `.stackgen/envs/NAME-…` its environment, used again while its requirements are
the same, and `.stackgen/samples/…` the models of `--sample-models`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from . import samples
from .environment import EXIT_CODE, EnvironmentFailure, environment_for
from .plan import Component, Config, JsonValue, Plan, Slot, Value
from .progress import Progress
from .trial import Trial, follow

HOME = Path(".stackgen")

_MOST_TOLD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a server is to be started. port, workers: None for what the distribution says. extra: what is installed
    beside the locked packages, as pip takes it. prompt: what to ask it once it serves, None for nothing.
    """

    port: int | None = None
    workers: int | None = None
    extra: Sequence[str] = ()
    prompt: str | None = None
    sample_models: bool = False
    quiet: bool = False


def run_server(plan: Plan, build: Callable[[Path], int], start: Start, *, home: Path = HOME) -> int:
    """Serve a distribution; returns only where that fails, with an exit code.

    build: writes the package into a folder and gives an exit code.
    """
    folder = (home / "build" / plan.name).absolute()
    # As Ctrl-C does: a tool that is running ends with this process.
    former = signal.signal(signal.SIGTERM, _exit)
    with Progress("stackgen run", quiet=start.quiet) as say:
        try:
            say(f"building {plan.name}")
            folder.parent.mkdir(parents=True, exist_ok=True)
            if code := build(folder):
                return code
            python = environment_for(folder, (home / "envs").absolute(), say, start.extra)
            request: dict[str, JsonValue] = {}
            for sample in samples.wanted(plan.samples, os.environ) if start.sample_models else ():
                found = samples.fetch(sample, python, (home / "samples").absolute(), say)
                os.environ.update({name: text for name, text in found.items() if not os.environ.get(name)})
                request.update(sample.request)
            if advice := nothing_on(plan):
                say(advice)
            say(f"starting {plan.name}; it serves once its models are there")
            say.finish()
            command = server_command(python, plan.package, port=start.port, workers=start.workers)
            advice = "" if start.sample_models else samples_advice(plan)
            trial = None if start.prompt is None else Trial(prompt=start.prompt, request=request, advice=advice)
            return _become(command, trial)
        except (EnvironmentFailure, OSError) as error:
            say.insist(str(error))
            return EXIT_CODE
        finally:
            signal.signal(signal.SIGTERM, former)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def server_command(python: Path, module: str, *, port: int | None, workers: int | None) -> list[str]:
    """What starts a built server. -P: a file of the working directory must not stand in for one of its modules."""
    command = [str(python), "-P", "-m", module]
    for option, value in (("--port", port), ("--workers", workers)):
        command += [] if value is None else [option, str(value)]
    return command


def _become(command: Sequence[str], trial: Trial | None) -> int:
    """Go on as the server: signals and the exit code are its own. Windows has no exec, there it is a child."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        return subprocess.run(command, check=False).returncode
    if trial is not None:
        _follow(trial)
    os.execv(command[0], list(command))


def _follow(trial: Trial) -> None:
    """What this process prints from now on goes through a child, which tries the server once that says it serves. It
    ends when the server has, and nothing of the server's depends on it.
    """
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        try:
            follow(reading, trial)
        finally:
            os._exit(0)
    os.close(reading)
    os.dup2(writing, sys.stdout.fileno())
    os.close(writing)


# ── a server without providers ──────────────────────────────────────────────────────────────────────────────────────


def nothing_on(plan: Plan) -> str:
    """How to switch a provider on, where all stand behind variables and none of those is set; else ""."""
    instances = [each for each in plan.components if each.role == "instance"]
    if not instances or any(each.gate is None or os.environ.get(each.gate) for each in instances):
        return ""
    gates = list(dict.fromkeys(each.gate or "" for each in instances))
    if len(gates) > _MOST_TOLD:
        text = f"no provider of {plan.name} is switched on; set one of {', '.join(gates)}"
    else:
        width = max(map(len, gates))
        told = {each.gate: _description(each) for each in reversed(instances)}
        lines = [f"\n  {gate:<{width}}  {told[gate]}" for gate in gates]
        text = f"no provider of {plan.name} is switched on; set one of these variables:{''.join(lines)}"
    return text + samples_advice(plan)


def samples_advice(plan: Plan) -> str:
    """That there are sample models, and for what; "" where there are none."""
    told = "".join(f"\n  {each.variable}: {each.summary}" for each in plan.samples)
    return f"\nwithout a variable, --sample-models installs weights as packages for it:{told}" if told else ""


def _description(component: Component) -> str:
    """What the variable of a component's gate is for, as its config says."""
    return next((each.description for each in _values(component.config) if _reads(each, component.gate)), "")


def _values(config: Config | None) -> list[Value]:
    fields = [] if config is None else [field for _, field in config.fields]
    return [value for field in fields for value in (_values(field) if isinstance(field, Config) else [field])]


def _reads(value: Value, variable: str | None) -> bool:
    return any(isinstance(part, Slot) and part.variable == variable for part in value.parts)
