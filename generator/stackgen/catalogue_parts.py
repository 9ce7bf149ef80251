"""The catalogue's second half: SG6 environment slots, SG7 parts."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

SLOTS: Mapping[str, Entry] = {
    "SG601": Entry(
        "malformed environment slot",
        "A slot is `${env.NAME}` (required: unset or empty is missing), `${env.NAME:=text}` (text when unset or "
        "empty) or `${env.NAME:+text}` (text when set). NAME is upper-case letters, digits and `_`. The text "
        "holds no `}` and no further slot. A literal `${env.` is written `$${env.`.",
        "write one of the three forms",
        "api_key: ${env.openai_key}      # ${env.OPENAI_KEY}\n"
        "url: ${env.A:=${env.B}}         # no nesting: two values cannot be one slot",
    ),
    "SG602": Entry(
        "bad default in an environment slot",
        "The text of `:=` or `:+` becomes the value, so it must be one: the text of an integer slot an integer, "
        "of a URL a URL. An empty text means null where the value may be null, the empty text where it is a "
        "string, and is an error elsewhere.",
        "write a default of the value's type, or `${env.NAME}` without one",
        "port: ${env.PORT:=http}",
    ),
    "SG603": Entry(
        "environment slot in a key",
        "Keys are the structure, which is decided when the server is compiled; the environment fills values only.",
        "write the key out",
        "config: {${env.FIELD}: 1}",
    ),
    "SG604": Entry(
        "environment slot where none can stand",
        "What this says is needed to compile the server (or is a list or mapping, which the environment can give"
        " only as a whole). An id takes one form only: `${env.NAME:+id}`, the instance is there when NAME is "
        "set. The old `__disabled__` is no id: an instance that is never there is not named at all. The one "
        "provider of an API that is not routed must always be there.",
        "write the value out; for a list of strings, make the whole value one slot, which takes them comma-separated",
        "type: ${env.KIND}\nid: ${env.ENABLE_VLLM:=__disabled__}     # ${env.ENABLE_VLLM:+vllm}",
    ),
    "SG605": Entry(
        "one variable, two types",
        "The same variable fills values of different type, or one that is secret and one that is not: no text of"
        " it can be right for both, or a secret would be printed.",
        "use two variables, or give both values one type",
        "port: ${env.X}\napi_key: ${env.X}",
    ),
}

PARTS: Mapping[str, Entry] = {
    "SG701": Entry(
        "part not found",
        "The provider spec names a Python file that no root has under `parts/`, or a part imports from one.",
        "correct the path (it is relative to `parts/`), or write the file",
        "part: providers/inference/opnai.py",
    ),
    "SG702": Entry(
        "part with a syntax error",
        "The file is not Python, so it can be neither checked nor vendored.",
        "mend the line",
        "def open_x(:",
    ),
    "SG703": Entry(
        "opener not found",
        "The part has no function or class of the name that `open:` gives, or the name is something else than an"
        " async context manager function or a class.",
        "name an `@asynccontextmanager async def` or a class of the part",
        "open: open_opnai",
    ),
    "SG704": Entry(
        "opener's arguments do not fit",
        "The wiring calls the opener with its config and one keyword argument for each of `needs`, `uses`, "
        "`takes`, `arguments` and config property with `x-backend`. It has to take exactly these, or have a "
        "default for those it is not given.",
        "add the keyword-only parameter to the opener, or the line to the spec",
        "arguments: {credental: openai_api_key}   # open_x(config, *, credential)",
    ),
    "SG705": Entry(
        "config schema and dataclass differ",
        "The config a provider gets is a dataclass of its part. Its fields and the schema's properties are the "
        "same names, and their types fit: string str, format password Secret, array of strings tuple[str, ...], "
        "object of strings Mapping[str, str], null None.",
        "change the dataclass or the schema",
        "timeout: {type: number}   # timeout: int in the dataclass",
    ),
    "SG706": Entry(
        "part does not fit the contract",
        "A provider has one method for each operation it offers: `async def operation(self, request, ctx)`.",
        "write the method, or leave the capability out of the spec",
        "capabilities: [chat]   # and no create_chat_completion",
    ),
    "SG707": Entry(
        "run-time lookup",
        "A generated server looks nothing up by name while it runs: everything is imported and called in the "
        "open, so that a reader, a type checker and the trimmer can see it. So no importlib, `__import__`, entry"
        " points, signature inspection, or getattr with a text.",
        "import what is meant, or take it as an argument",
        "module = importlib.import_module(name)",
    ),
}
