"""The Plan as text for people and as JSON for programs: `stackgen plan`, and what the compiler's cases compare.

    gateway → gateway_stack  (distributions/gateway.yaml:1:1)

    components
      openai  inference/openai  remote::openai  when OPENAI_API_KEY is set  (distributions/gateway.yaml:9:7)
        open_openai in providers/inference/openai.py, instance="openai"
        config RemoteConfig in providers/inference/remote.py
          base_url: url = "https://api.openai.com/v1", OPENAI_BASE_URL

Both forms are complete and ordered: equal Plans print alike, different ones differently.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

from .plan import (
    Argument,
    Component,
    Config,
    Fact,
    Instances,
    JsonValue,
    Literal_,
    Plan,
    Ref,
    Route,
    Sample,
    Slot,
    Value,
)


def format_plan(plan: Plan) -> str:
    """The whole Plan, one fact a line, ending in a newline."""
    return "\n".join(_lines(plan)) + "\n"


def plan_json(plan: Plan) -> str:
    """The whole Plan as JSON (keys are the field names of `plan.py`), ending in a newline."""
    return json.dumps(dataclasses.asdict(plan), indent=2, ensure_ascii=False) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.name} → {plan.package}  ({plan.origin})"
    if plan.summary:
        yield f"  {plan.summary}"
    yield f"  apis: {', '.join(plan.apis)}"
    yield from ["", "components"]
    for component in plan.components:
        yield from _component(component)
    yield from ["", "server"]
    yield from _config(plan.server)
    for kind, entries in plan.resources:
        yield from ["", f"resources {kind}"]
        for entry in entries:
            yield from _config(entry)
    yield from ["", "routes"]
    for route in plan.routes:
        yield _route(route)
    if plan.provider_data:
        yield from ["", "provider data"]
        for key in plan.provider_data:
            yield f"  {key.name}: {key.format}, read by {', '.join(key.types)}"
    yield from ["", "requirements"]
    for requirement in plan.requirements:
        reason = f"  ({requirement.reason})" if requirement.reason else ""
        yield f"  {requirement.text}  wanted by {'; '.join(requirement.wanted_by)}{reason}"
    for external in plan.externals:
        askers = [f"{each}, when used" if each in external.at_use else each for each in external.wanted_by]
        yield f"  {external.text}, not locked  wanted by {'; '.join(askers)}  ({external.help})"
    if plan.budget:
        yield from ["", "budget"]
        for limit in plan.budget:
            yield f"  {limit.what}: at most {limit.most}  ({limit.because})"
    for sample in plan.samples:
        yield from ["", *_sample(sample)]


def _component(component: Component) -> Iterator[str]:
    gate = f"  when {component.gate} is set" if component.gate else ""
    title = f"{component.name}  {component.api}/{component.id}  {component.type}"
    yield f"  {title}  {component.role}{gate}  ({component.because})"
    call = "enter" if component.contexts else "call"
    arguments = "".join(f", {name}={_argument(value)}" for name, value in component.arguments)
    yield f"    {call} {component.opener} in {component.part}{arguments}"
    if component.capabilities:
        yield f"    capabilities: {', '.join(component.capabilities)}"
    if component.lacks:
        yield f"    left out: {', '.join(component.lacks)}"
    if component.config is not None:
        yield from _config(component.config, indent=4)


def _sample(sample: Sample) -> Iterator[str]:
    yield f"sample {sample.variable}: {sample.name}, {sample.megabytes} MB  ({sample.because})"
    for what in (sample.summary, sample.origin, sample.terms):
        yield f"  {what}"
    yield from (f"  {package}  {digest}" for package, digest in sample.packages)
    yield from (f"  take {path}" for path in sample.take)
    yield from (f"  {variable}: a file, {_json(text)}" for variable, text in sample.texts)
    yield from (f"  request {key}: {_json(value)}" for key, value in sample.request)


def _argument(argument: Argument) -> str:
    match argument:
        case Literal_(value):
            return _json(value)
        case Ref(component, optional):
            return f"<{component}?>" if optional else f"<{component}>"
        case Instances(items):
            return "{" + ", ".join(f"{name}: {_argument(ref)}" for name, ref in items) + "}"
        case Fact(name, kind):
            return f"[{name} {kind}]" if kind else f"[{name}]"


def _config(config: Config, indent: int = 2) -> Iterator[str]:
    yield f"{'':{indent}}{config.cls} in {config.part}, at {config.path}"
    for name, field in config.fields:
        if isinstance(field, Config):
            yield f"{'':{indent}}  {name}:"
            yield from _config(field, indent + 4)
        else:
            yield f"{'':{indent}}  {name}: {_value(field)}"


def _value(value: Value) -> str:
    kind = f"{value.kind} or null" if value.optional else value.kind
    words = [f"{kind}, required" if value.required else f"{kind} = {_json(value.default)}"]
    if any(isinstance(part, Slot) for part in value.parts):
        words.append("from " + "".join(part if isinstance(part, str) else _slot(part) for part in value.parts))
    if value.choices:
        words.append(f"one of {_json(list(value.choices))}")
    if value.minimum is not None:
        words.append(f"at least {value.minimum}")
    if value.maximum is not None:
        words.append(f"at most {value.maximum}")
    if value.pattern is not None:
        words.append(f"like {_json(value.pattern)}")
    if value.origin is not None:
        words.append(f"({value.origin})")
    return "  ".join(words)


def _slot(slot: Slot) -> str:
    mark = {"required": "", "default": ":=", "if_set": ":+"}[slot.mode]
    return f"${{env.{slot.variable}{mark}{slot.text}}}"


def _route(route: Route) -> str:
    flags = [
        word
        for word, on in (
            ("body", route.has_body),
            ("upload", route.upload),
            ("download", route.download),
            ("relay", route.relay),
            ("stream", route.stream),
            ("deprecated", route.deprecated),
            ("public", route.public),
            ("provider-data", route.provider_data),
        )
        if on
    ]
    flags += [f"greedy={','.join(route.greedy)}"] if route.greedy else []
    flags += [f"query={','.join(route.query)}"] if route.query else []
    call = f"{route.component}.{route.operation}({route.request})"
    tail = f"  [{' '.join(flags)}]" if flags else ""
    types = f"  {','.join(route.provider_types)}" if route.provider_types else ""
    return f"  {route.method} {route.path}  {call}  {route.api} {route.level}{tail}{types}  ({route.because})"


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
