"""SG5 configs, SG6 environment slots: together, the rule book of `${env.…}`."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

CONFIG: Mapping[str, Entry] = {
    "SG501": Entry(
        "unknown config value",
        "The config of this provider type (or of the server, or of the resource) has no such value.",
        "write one of those expected, or leave it out",
        "config: {base_ulr: http://localhost}",
    ),
    "SG502": Entry(
        "missing config value",
        "The provider cannot do without it, and it has no default.",
        "write it, or a slot like `${env.NAME}` that the environment fills",
        "config: {}   # of a provider that requires base_url",
    ),
    "SG503": Entry(
        "config value of the wrong type",
        "The value does not fit the schema of the provider's config: its type, choices, range or form.",
        "write a value that fits",
        "config: {timeout: soon}",
    ),
    "SG504": Entry(
        "config schema that cannot become settings",
        "Settings are flat values of known types (string, secret, url, path, integer, number, boolean, list or "
        "mapping of strings), grouped in objects. This property is none of these, refers to a file that is not "
        "there, or has no value to start from.",
        "give it one of those types, and a default, or list it under `required`, or let it be null",
        "retries: {type: array, items: {type: integer}}",
    ),
}

SLOTS: Mapping[str, Entry] = {
    "SG601": Entry(
        "malformed environment slot",
        "A slot is `${env.NAME}` (required: unset or empty is missing), `${env.NAME:=text}` (text when unset or "
        "empty) or `${env.NAME:+text}` (text when set). NAME is upper-case letters, digits and `_`. The text "
        "holds no `}` and no further slot. A literal `${env.` is written `$${env.`.",
        "write `${env.NAME}`, `${env.NAME:=text}` or `${env.NAME:+text}`",
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
    "SG606": Entry(
        "sample for a variable that nothing reads",
        "A sample model is what a variable of the distribution is set to by `stackgen run NAME --sample-models`; one"
        " that no `${env.…}` of the distribution reads would be fetched for nothing.",
        "name a variable that the distribution reads, or leave the sample out",
        'config: {model: "${env.INFERENCE_MODEL}"}\nsamples: {INFERENCE_MODLE: …}',
    ),
}
