"""The generated files: they parse, are formatted, say what the Plan says, and hold nothing forbidden."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sample_plan import FILE, PARTS, remote_config, sample_inputs, sample_plan, trimmed
from stackgen.build import build, check_build, vendored
from stackgen.plan import External, Plan, Slot, Value
from stackgen.render import lazy_parts, render
from stackgen.render.rows import owned_values
from stackgen.resolve import compile_plan
from stackgen.workspace import find_roots

PACKAGE = "src/tiny_stack"
PRINTED = ("__init__", "__main__", "settings", "wiring", "app")
FORBIDDEN_MODULES = {"importlib", "pkgutil", "runpy", "pkg_resources"}
FORBIDDEN_CALLS = {"__import__", "eval", "exec", "getattr", "setattr", "hasattr", "globals", "locals"}
DISTRIBUTIONS = find_roots(()).names("distributions")


def rendered(plan: Plan) -> dict[str, str]:
    return {path: content.decode() for path, content in render(sample_inputs(plan)).items()}


def source(plan: Plan, module: str) -> str:
    return rendered(plan)[f"{PACKAGE}/{module}.py"]


def ruff(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "120", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


# ── form ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("module", PRINTED)
def test_the_output_is_formatted_and_clean_as_it_is(module: str) -> None:
    text = source(sample_plan(), module)
    formatted = ruff("format", "--diff", text=text)
    assert formatted.returncode == 0, formatted.stdout
    checked = ruff("check", "--select", "E,F,I,UP,B,SIM,RUF", text=text)
    assert checked.returncode == 0, checked.stdout


def test_every_text_file_ends_in_one_newline_and_has_no_carriage_return() -> None:
    for path, text in rendered(sample_plan()).items():
        assert "\r" not in text, path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path


@given(st.text(min_size=1), st.text(), st.text())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_of_a_spec_survives(default: str, summary: str, identity: str) -> None:
    plan = sample_plan()
    [_, nvidia, *_] = plan.components
    at = f"providers.inference.{identity}"
    value = Value(path=f"{at}.base_url", kind="string", parts=("x", Slot("HOST", "default", default)), default=None)
    assert nvidia.config is not None
    config = replace(nvidia.config, path=at, fields=(("base_url", value),))
    component = replace(nvidia, id=identity, config=config, type=f"remote::{identity}")
    changed = replace(plan, summary=summary, components=(component,))
    files = rendered(changed)
    texts = set()
    for module in PRINTED:
        tree = ast.parse(files[f"{PACKAGE}/{module}.py"])
        texts |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {default, f"{at}.base_url"} <= texts
    json.loads(files["config.schema.json"])


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_calls(plan: Plan) -> str:
    return source(plan, "settings")


def config_with(value: Value) -> Plan:
    plan = sample_plan()
    return replace(plan, server=replace(plan.server, fields=(("x", value),)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value(path="a", kind="string", required=True), 'read.string("a")'),
        (Value(path="a", kind="string", parts=(Slot("X", "required"),), required=True), 'read.string("a", env="X")'),
        (Value(path="a", kind="integer", default=3, minimum=1.0), 'read.integer("a", default=3, minimum=1)'),
        (Value(path="a", kind="number", default=2.5, maximum=0.5), 'read.number("a", default=2.5, maximum=0.5)'),
        (Value(path="a", kind="secret", optional=True), 'read.optional_secret("a")'),
        (Value(path="a", kind="strings", default=["b"]), 'read.strings("a", default=("b",))'),
        (Value(path="a", kind="string_map", default={"b": "c"}), 'read.string_map("a", default={"b": "c"})'),
        (Value(path="a", kind="string", default="b", choices=("b", "c")), 'choices=("b", "c")'),
        (
            Value(path="a", kind="url", parts=("http://", Slot("H", "required"), ":", Slot("P", "default", "80"))),
            'text=("http://", Env("H"), ":", Env("P", default="80"))',
        ),
        (
            Value(path="a", kind="string", parts=(Slot("X", "if_set", "on"),), optional=True),
            'read.optional_string("a", text=(Env("X", then="on"),))',
        ),
    ],
)
def test_a_value_becomes_a_call_of_the_reader(value: Value, expected: str) -> None:
    assert expected in read_calls(config_with(value))


def test_objects_that_are_read_alike_share_a_function() -> None:
    text = read_calls(sample_plan())
    assert text.count("def read_network_config(") == 1
    assert 'network=read_network_config(read, "providers.inference.nvidia.network")' in text
    assert 'tls=read_tls_config(read, f"{at}.tls")' in text


def test_objects_that_are_read_differently_do_not() -> None:
    plan = sample_plan()
    [openai, nvidia, *others] = plan.components
    assert nvidia.config is not None
    (*fields, (_, network)) = nvidia.config.fields
    assert not isinstance(network, Value)
    changed = tuple(
        (name, replace(f, default=5) if isinstance(f, Value) and name == "retries" else f) for name, f in network.fields
    )
    config = replace(nvidia.config, fields=(*fields, ("network", replace(network, fields=changed))))
    text = read_calls(replace(plan, components=(openai, replace(nvidia, config=config), *others)))
    assert "def read_network_config_2(" in text
    assert 'network=read_network_config_2(read, "providers.inference.nvidia.network")' in text


def test_a_gated_component_is_read_only_when_its_gate_is_open() -> None:
    text = read_calls(sample_plan())
    assert "def read_openai(read: Reader) -> RemoteConfig | None:" in text
    assert 'if not read.enabled("OPENAI_API_KEY", at="providers.inference.openai"):' in text


# ── wiring ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_import_that_only_a_gate_needs_stands_behind_it() -> None:
    plan = sample_plan()
    heavy = replace(plan.components[0], part="providers/inference/heavy.py", opener="open_heavy")
    plan = replace(plan, components=(heavy, *plan.components[1:]))
    assert lazy_parts(plan, trimmed(plan)) == {"providers/inference/heavy.py"}
    wiring = source(plan, "wiring")
    lines = wiring.splitlines()
    assert "            from .providers.inference.heavy import open_heavy" in lines
    assert "from .providers.inference.heavy import open_heavy" not in lines
    assert ruff("check", "--select", "F,I", text=wiring).returncode == 0


def test_wiring_names_the_line_that_asked_for_a_component() -> None:
    text = source(sample_plan(), "wiring")
    assert "# tiny.yaml:7  inference/openai, when OPENAI_API_KEY is set" in text
    assert 'chat=enabled({"openai": openai, "nvidia": nvidia})' in text
    assert 'rerank={"nvidia": nvidia}' in text


def test_parts_that_call_things_alike_are_kept_apart() -> None:
    plan = sample_plan()
    [openai, nvidia, *others] = plan.components
    assert nvidia.config is not None
    heavy = "providers/inference/heavy.py"
    other = replace(nvidia, part=heavy, config=replace(nvidia.config, part=heavy))
    plan = replace(plan, components=(openai, other, *others))
    wiring, settings = source(plan, "wiring"), source(plan, "settings")
    assert "from .providers.inference.heavy import open_remote as open_remote_2\n" in wiring
    assert "open_remote_2(settings.nvidia, " in wiring
    assert "open_remote(settings.openai, " in wiring
    assert "from .providers.inference.heavy import RemoteConfig as RemoteConfig_2\n" in settings
    assert "def read_nvidia(read: Reader) -> RemoteConfig_2:" in settings
    assert "return RemoteConfig_2(" in settings
    assert "def read_openai(read: Reader) -> RemoteConfig | None:" in settings
    for text in (wiring, settings):
        assert ruff("check", "--select", "F,I", text=text).returncode == 0


# ── the files around ────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_secret_has_a_value_in_what_people_read() -> None:
    plan = sample_plan()
    [openai, *others] = plan.components
    config = remote_config("openai", variable="OPENAI", url="https://a.example")
    name, key = config.fields[1]
    assert isinstance(key, Value)
    fields = (config.fields[0], (name, replace(key, default="hush-hush")))
    files = rendered(replace(plan, components=(replace(openai, config=replace(config, fields=fields)), *others)))
    assert "hush-hush" not in files["README.md"] + files["config.schema.json"]


def test_the_schema_of_the_values_file_is_one() -> None:
    schema = json.loads(rendered(sample_plan())["config.schema.json"])
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"server": {"port": 1}, "providers": {"inference": {"openai": {"api_key": None}}}})
    assert not validator.is_valid({"server": {"port": "1"}})
    assert not validator.is_valid({"providers": {"inference": {"opnai": {}}}})
    assert not validator.is_valid({"providers": {"inference": {"nvidia": {"network": {"retries": 99}}}}})


def test_the_manifest_lists_every_other_file() -> None:
    files = rendered(sample_plan())
    listed = json.loads(files["MANIFEST.json"])
    assert set(listed["files"]) == files.keys() - {"MANIFEST.json"}
    assert list(files)[-1] == "MANIFEST.json"


def test_a_variable_that_is_part_of_a_setting_is_shown_in_its_text() -> None:
    plan = sample_plan()
    parts = (Slot("FOLDER", "default", "~/x"), "/a.db")
    store = Value(path="server.store", kind="path", parts=parts, default="~/x/a.db", description="The file.")
    text = rendered(replace(plan, server=replace(plan.server, fields=(("store", store),))))["README.md"]
    assert "| `FOLDER` | `server.store` | path | `~/x/a.db` | `$FOLDER/a.db`. The file. |" in text


# ── the laws, on the bundled distributions ──────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def package(request: pytest.FixtureRequest) -> tuple[Plan, dict[str, str]]:
    roots = find_roots(())
    plan = compile_plan(roots, request.param)
    assert isinstance(plan, Plan), plan
    built = build(roots, plan)
    assert built.problems == ()
    return plan, {path: content.decode() for path, content in built.files.items()}


def test_the_schema_of_the_values_file_has_every_setting_where_it_is_read(package: tuple[Plan, dict[str, str]]) -> None:
    plan, files = package
    schema = json.loads(files["config.schema.json"])
    for value, owner, _ in owned_values(plan):
        node = schema
        for step in () if owner.startswith("resources/") else value.path.split("."):
            node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
            assert step in node["properties"], value.path
            node = node["properties"][step]


def test_law_1_nothing_is_looked_up_at_run_time(package: tuple[Plan, dict[str, str]]) -> None:
    for path, text in package[1].items():
        if path.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                assert forbidden(node) is None, f"{path}: {forbidden(node)}"


def forbidden(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import):
        return next((each.name for each in node.names if each.name.partition(".")[0] in FORBIDDEN_MODULES), None)
    if isinstance(node, ast.ImportFrom):
        if not node.level and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            return node.module
        if node.module == "inspect" and not node.level:
            return "inspect"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
        return node.func.id
    return None


def test_law_2_every_module_is_reached_from_main(package: tuple[Plan, dict[str, str]]) -> None:
    plan, files = package
    root = f"src/{plan.package}/"
    modules = {path.removeprefix(root) for path in files if path.startswith(root) and path.endswith(".py")}
    reached: set[str] = set()
    waiting = ["__main__.py", "__init__.py"]
    while waiting:
        path = waiting.pop()
        if path in modules and path not in reached:
            reached.add(path)
            waiting += imported(path, files[root + path], modules)
            waiting += [f"{'/'.join(path.split('/')[:depth])}/__init__.py" for depth in range(1, path.count("/") + 1)]
    assert modules - reached == set()


def imported(path: str, text: str, modules: set[str]) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.split("/")[:-1]
            base = "/".join([*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]).strip("/")
            names = [f"{base}/{alias.name}" for alias in node.names]
            found += [f"{each}{end}" for each in (base, *names) for end in (".py", "/__init__.py")]
    return [each for each in found if each in modules]


def test_law_2_every_import_is_declared(package: tuple[Plan, dict[str, str]]) -> None:
    roots = find_roots(())
    assert check_build(roots, package[0], vendored(roots, package[0])) == []


def test_law_8_templates_decide_nothing() -> None:
    folder = Path(__file__).parents[2] / "templates" / "jinja"
    for path in sorted(folder.glob("*.jinja")):
        text = path.read_text()
        assert "{{" in text, f"{path.name} varies with nothing: it is a part"
        for statement in statements(text):
            words = statement.split()
            if words[0] == "for":
                assert re.fullmatch(r"for \w+(, \w+)* in [\w.]+", statement), f"{path.name}: {statement}"
            elif words[0] == "if":
                assert re.fullmatch(r"if [\w.]+", statement), f"{path.name}: {statement}"
            else:
                assert words[0] in ("endfor", "endif", "else"), f"{path.name}: {statement}"


def statements(text: str) -> list[str]:
    return [piece.partition("%}")[0].strip(" +-") for piece in text.split("{%")[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_law_3_a_generated_package_is_clean(name: str, tmp_path: Path) -> None:
    roots = find_roots(())
    plan = compile_plan(roots, name)
    assert isinstance(plan, Plan)
    for path, content in build(roots, plan).files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    own = [f"src/{plan.package}/{path.name}" for path in sorted((tmp_path / "src" / plan.package).glob("*.py"))]
    for command in (["mypy", "src"], ["ruff", "check", "."], ["ruff", "format", "--check", *own]):
        run = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_the_sample_reaches_what_it_should() -> None:
    assert set(trimmed(sample_plan()).files) < set(PARTS)


def test_a_package_that_nobody_locks_is_checked_where_a_component_needs_it() -> None:
    plan = sample_plan()
    lamp = External("lamp", ">=2,<3", "see its page", (f"inference/remote::openai: {FILE}:7:7",))
    text = source(replace(plan, externals=(lamp,)), "settings")
    head, _, rest = text.partition("def read_openai(")
    assert "from .runtime.packages import need_package" in head
    function, _, rest = rest.partition("\n\n\n")
    gate, check = function.index("if not read.enabled("), function.index("need_package(")
    assert gate < check < function.index("return RemoteConfig(")
    assert "need_package(" not in rest
    assert "def lamp_version() -> str:\n    import lamp\n\n    return str(lamp.__version__)\n" in rest


def test_it_is_checked_for_components_without_settings_too() -> None:
    plan = sample_plan()
    lamp = External("lamp", ">=2,<3", "see its page", (f"inference/remote::openai: {FILE}:7:7",))
    bare = tuple(replace(each, config=None) for each in plan.components)
    text = source(replace(plan, components=bare, externals=(lamp,)), "settings")
    assert '    if settings.openai:\n        need_package(read, "lamp"' in text


def test_a_package_that_is_needed_later_is_not_looked_for_at_start() -> None:
    plan, asker = sample_plan(), f"inference/remote::openai: {FILE}:7:7"
    lamp = External("lamp", ">=2,<3", "see its page", (asker,), at_use=(asker,))
    text = source(replace(plan, externals=(lamp,)), "settings")
    assert text == source(plan, "settings")


# ── a provider that offers a part of its API ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("offered", [("listing",), ("listing", "registration")])
def test_a_part_of_an_api_is_held_to_the_contracts_of_that_part(offered: tuple[str, ...]) -> None:
    plan = sample_plan()
    components = [
        replace(each, capabilities=offered, lacks=("training",)) if each.name == "models" else each
        for each in plan.components
    ]
    text = source(replace(plan, components=tuple(components)), "wiring")
    names = {"listing": "ModelsListing", "registration": "ModelsRegistration"}
    for each in offered:
        assert f"{each.capitalize()} as {names[each]}" in text
    if len(offered) == 1:
        assert "    models: ModelsListing\n" in text
    else:
        assert "class Models(ModelsListing, ModelsRegistration, Protocol):" in text
        assert "    models: Models\n" in text
    assert ruff("format", "--diff", text=text).returncode == 0
    checked = ruff("check", "--select", "E,F,I,UP,B,SIM,RUF", text=text)
    assert checked.returncode == 0, checked.stdout
