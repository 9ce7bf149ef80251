"""A small Plan and small parts, for the passes that come after `resolve`."""

from __future__ import annotations

from pathlib import Path

from stackgen.lockfile import Locked, Weight
from stackgen.plan import (
    Component,
    Config,
    Fact,
    Instances,
    Limit,
    Literal_,
    Plan,
    Position,
    ProviderDataKey,
    Ref,
    Requirement,
    Route,
    Slot,
    Value,
)
from stackgen.render import TEMPLATES, Inputs
from stackgen.trim import Trimmed, roots_of, trim

FILE = "specs/distributions/tiny.yaml"
REMOTE = "providers/inference/remote.py"
TABLE = "providers/models/builtin.py"

PARTS: dict[str, str] = {
    "runtime/__init__.py": "",
    "runtime/http.py": "from fastapi import FastAPI\n\nfrom .errors import StackError\n",
    "runtime/errors.py": "class StackError(Exception): ...\n",
    "runtime/serve.py": "import uvicorn\n",
    "runtime/settings.py": "",
    "runtime/values.py": "def read_values() -> None:\n    import yaml\n",
    "runtime/wiring.py": "",
    "runtime/unused.py": "import torch\n",
    "contracts/__init__.py": "",
    "contracts/inference/__init__.py": """from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import responses
""",
    "contracts/inference/requests.py": "import pydantic\n",
    "contracts/inference/responses.py": "from .requests import CreateChatCompletionRequest\n",
    "contracts/models/__init__.py": "",
    "contracts/models/requests.py": "import pydantic\n",
    "providers/__init__.py": "",
    "providers/inference/__init__.py": "",
    REMOTE: "import aiohttp\n\nfrom ...runtime import errors\n",
    "providers/inference/heavy.py": "import numpy\n\nfrom .remote import RemoteConfig\n",
    "providers/models/__init__.py": "",
    TABLE: "import json\n",
    "routers/__init__.py": "",
    "routers/inference.py": "from __future__ import annotations\n",
}


def remote_config(name: str, *, variable: str, url: str) -> Config:
    at = f"providers.inference.{name}"
    return Config(
        path=at,
        part=REMOTE,
        cls="RemoteConfig",
        fields=(
            (
                "base_url",
                Value(
                    path=f"{at}.base_url",
                    kind="url",
                    parts=(Slot(f"{variable}_BASE_URL", "default", url),),
                    default=url,
                ),
            ),
            (
                "api_key",
                Value(
                    path=f"{at}.api_key", kind="secret", parts=(Slot(f"{variable}_API_KEY", "default"),), optional=True
                ),
            ),
            ("network", network_config(f"{at}.network")),
        ),
    )


def network_config(at: str) -> Config:
    tls = Config(
        path=f"{at}.tls",
        part=REMOTE,
        cls="TlsConfig",
        fields=(("verify", Value(path=f"{at}.tls.verify", kind="boolean", default=True)),),
    )
    return Config(
        path=at,
        part=REMOTE,
        cls="NetworkConfig",
        fields=(
            ("tls", tls),
            ("retries", Value(path=f"{at}.retries", kind="integer", default=2, minimum=0.0, maximum=10.0)),
            ("headers", Value(path=f"{at}.headers", kind="string_map", default={"x-from": 'say "hi"'})),
        ),
    )


def instance(name: str, line: int, *, gate: str | None = None, part: str = REMOTE) -> Component:
    return Component(
        name=name,
        api="inference",
        id=name,
        type=f"remote::{name}",
        role="instance",
        part=part,
        opener="open_remote",
        contexts=True,
        gate=gate,
        config=remote_config(name, variable=name.upper(), url=f"https://{name}.example/v1"),
        arguments=(("instance", Literal_(name)), ("credential", Literal_(f"{name}_api_key"))),
        capabilities=("chat",),
        because=Position(FILE, line, 7),
    )


def route(method: str, path: str, component: str, operation: str, request: str, **changes: object) -> Route:
    given: dict[str, object] = {
        "api": component,
        "method": method,
        "path": path,
        "component": component,
        "operation": operation,
        "request": request,
        "has_body": method == "POST",
        "upload": False,
        "download": False,
        "relay": False,
        "stream": False,
        "level": "v1",
        "deprecated": False,
        "public": False,
        "provider_data": False,
        "greedy": (),
        "query": (),
        "errors": "openai",
        "provider_types": ("remote::nvidia", "remote::openai"),
        "because": Position(f"specs/apis/{component}.yaml", 12, 5),
        **changes,
    }
    return Route(**given)  # type: ignore[arg-type]  # a test's shorthand


def sample_plan() -> Plan:
    both = Instances((("openai", Ref("openai", optional=True)), ("nvidia", Ref("nvidia"))))
    models = Component(
        name="models",
        api="models",
        id="builtin",
        type="inline::builtin",
        role="builtin",
        part=TABLE,
        opener="open_models",
        contexts=True,
        arguments=(("sources", both), ("resources", Fact("resources", "models")), ("listing", Fact("listing"))),
        because=Position(FILE, 3, 19),
    )
    router = Component(
        name="inference",
        api="inference",
        id="inference",
        type="router",
        role="router",
        part="routers/inference.py",
        opener="InferenceRouter",
        contexts=False,
        arguments=(("table", Ref("models")), ("chat", both), ("rerank", Instances((("nvidia", Ref("nvidia")),)))),
        because=Position(FILE, 5, 3),
    )
    server = Config(
        path="server",
        part="runtime/serve.py",
        cls="ServerConfig",
        fields=(("port", Value(path="server.port", kind="integer", default=8321, minimum=1, maximum=65535)),),
    )
    model = Config(
        path="resources.models.0",
        part=TABLE,
        cls="ModelResource",
        fields=(
            (
                "model_id",
                Value(path="resources.models.0.model_id", kind="string", parts=(Slot("MODEL", "default"),), default=""),
            ),
        ),
    )
    chat = {"relay": True, "stream": True, "provider_data": True}
    return Plan(
        name="tiny",
        package="tiny_stack",
        summary='A "tiny" server.',
        apis=("inference", "models"),
        components=(instance("openai", 7, gate="OPENAI_API_KEY"), instance("nvidia", 9), models, router),
        routes=(
            route(
                "POST",
                "/v1/chat/completions",
                "inference",
                "create_chat_completion",
                "CreateChatCompletionRequest",
                **chat,
            ),
            route("GET", "/v1/models", "models", "list_models", "ListModelsRequest", public=True),
            route("GET", "/v1/models/{model}", "models", "retrieve_model", "RetrieveModelRequest", greedy=("model",)),
        ),
        server=server,
        provider_data=(ProviderDataKey("openai_api_key", "password", ("remote::openai",)),),
        resources=(("models", (model,)),),
        externals=(),
        untyped=(),
        requirements=(Requirement("aiohttp", (f"remote::openai: {FILE}:7:7",)),),
        budget=(Limit("packages", 30, Position(FILE, 20, 1)),),
        origin=Position(FILE, 1, 1),
    )


def read_part(path: str) -> bytes | None:
    text = PARTS.get(path)
    return None if text is None else text.encode()


def trimmed(plan: Plan) -> Trimmed:
    return trim(roots_of(plan), read_part)


def sample_inputs(plan: Plan) -> Inputs:
    jinja = Path(__file__).parents[2] / "templates" / "jinja"
    return Inputs(
        plan=plan,
        parts=trimmed(plan),
        templates={name: (jinja / f"{name}.jinja").read_text() for name in TEMPLATES},
        openapi="{}\n",
        requirements="aiohttp==3.0\n",
        packages=(
            Locked(name="aiohttp", version="3.0", hashes=("sha256:0",), via=(), weight=Weight(1536, "sha256:0")),
        ),
        dependencies=("aiohttp",),
        sources={FILE: "sha256:0"},
        version="0.1.0",
    )
