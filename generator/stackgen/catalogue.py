"""Every code the compiler can report: SG1 files, SG2 shape, SG3 names, SG4 structure, SG5 config, SG6
environment slots, SG7 parts.

An entry says what is wrong (title), why that is an error (why), how to mend it (mend) and shows it (example).
The slots' entries
are, together, the whole rule book of `${env.…}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .catalogue_build import BUILD
from .catalogue_parts import PARTS, SLOTS
from .entry import Entry

_FILES: Mapping[str, Entry] = {
    "SG101": Entry(
        "broken YAML",
        "The file is not YAML, so nothing of it can be read. The place is where the reader gave up; the mistake "
        "is there or just before.",
        "close the quote or bracket, and indent with spaces",
        "apis: [models, inspect     # the list is never closed",
    ),
    "SG102": Entry(
        "duplicate key",
        "YAML readers keep the last of two equal keys and drop the other silently: one of the two lines would "
        "have no effect.",
        "remove one of the two, or give it its own name",
        "server: {port: 8321}\nserver: {workers: 2}",
    ),
    "SG103": Entry(
        "unreadable file",
        "The file cannot be opened, or is not UTF-8 text.",
        "save it as UTF-8 and let the user that runs stackgen read it",
        "name: caf\\xe9",
    ),
    "SG104": Entry(
        "YAML that a spec does not use",
        "Anchors, aliases, tags, keys that are not text and several documents in one file make a value stand far"
        " from where it counts; a spec says each thing once, at its place.",
        "write the value out where it is used",
        "config: &remote {base_url: http://localhost}\nconfig: *remote",
    ),
}

_SHAPE: Mapping[str, Entry] = {
    "SG201": Entry(
        "unknown key",
        "The schema of this kind of file has no such key here, so it would have no effect.",
        "correct its spelling, move it to where it belongs, or remove it",
        "naem: gateway",
    ),
    "SG202": Entry(
        "missing key",
        "Without it the rest cannot be understood.",
        "add it",
        "summary: A distribution without a name.",
    ),
    "SG203": Entry(
        "wrong type",
        "The value is, say, a text where a list belongs. Mind that YAML reads 8321 as a number and '8321' as a text.",
        "write a value of the expected type",
        "apis: models     # a list: [models]",
    ),
    "SG204": Entry(
        "value not allowed",
        "The value has the right type, and is outside what the schema allows: not one of the choices, out of "
        "range, not of the form.",
        "choose an allowed value",
        "processes: two   # one or many",
    ),
    "SG205": Entry(
        "file name and name differ",
        "Specs are found by file name, never by reading all of them, so a file must be called what it defines.",
        "rename the file or the entry",
        "# specs/distributions/gateway.yaml\nname: gatway",
    ),
    "SG206": Entry(
        "two definitions of one name",
        "A workspace adds to what stackgen brings. Where it brings an entry of its own under a taken name, it "
        "must say that it means to.",
        "choose another name, or say `replaces: true` at its top",
        "# my-specs/providers/inference/openai.yaml, which stackgen has too\ntype: remote::openai",
    ),
    "SG207": Entry(
        "nothing to replace",
        "`replaces:` says that another root has an entry of this name, and none has: the entry meant is spelt "
        "otherwise, or gone.",
        "remove `replaces:`, or correct the name",
        "# my-specs/providers/inference/openia.yaml\nreplaces: true",
    ),
}

_NAMES: Mapping[str, Entry] = {
    "SG301": Entry(
        "unknown name",
        "No root has a distribution (or, for `check`, an API or a provider) of this name.",
        "`stackgen list distributions` names them all; `--specs DIR` adds a workspace",
        "$ stackgen build gatway",
    ),
    "SG302": Entry(
        "unknown API",
        "There is no file of this name in `apis/` of any root.",
        "`stackgen list apis` names them all",
        "apis: [inferense]",
    ),
    "SG303": Entry(
        "unknown provider type",
        "No provider of this API has the type, not even as an old name.",
        "`stackgen list providers` names them all",
        "inference:\n  - {id: openai, type: remote::opena}",
    ),
    "SG304": Entry(
        "unknown backend",
        "The name is not one of `storage.backends`, or that backend is of another kind than is asked for here.",
        "name a backend of the right kind from `storage.backends`",
        "config: {store: kv_defualt}",
    ),
    "SG305": Entry(
        "two instances under one id",
        "An instance is known by its id, in the wiring, in `/v1/providers` and in the names of its models.",
        "give one of them another id",
        "inference:\n  - {id: llm, type: remote::openai}\n  - {id: llm, type: remote::vllm}",
    ),
    "SG306": Entry(
        "unknown capability",
        "Capabilities are the `x-capability` names of the API's operations; this is none of them.",
        "use one that the API has",
        "capabilities: [chats]",
    ),
    "SG307": Entry(
        "resource of an unknown provider",
        "A resource is served by the instance it names; there is no instance of that id.",
        "name an instance of this distribution, or `all`",
        "models:\n  - {model_id: m, provider_id: openia}",
    ),
    "SG308": Entry(
        "unknown kind of resource",
        "No API that this distribution serves has a table of this kind.",
        "serve the API whose table it is, or correct the name",
        "resources: {modells: []}",
    ),
}

_STRUCTURE: Mapping[str, Entry] = {
    "SG401": Entry(
        "cycle",
        "Each of these components needs the next to be built first, so none can be the first.",
        "turn one of the `needs:` into something the component can do without, or choose another provider for "
        "one of them",
        "a needs b, b needs a",
    ),
    "SG402": Entry(
        "missing dependency",
        "A provider needs this API, and the distribution has no provider of it (or only one that may be absent "
        "at run time).",
        "add a provider of it, always there, to the distribution",
        "needs: {inference: {}}   # and the distribution has no inference",
    ),
    "SG403": Entry(
        "capability nobody offers",
        "A provider needs an API with a capability that none of the instances here has, so each such call would fail.",
        "add a provider that offers it",
        "needs: {inference: {capabilities: [embeddings]}}",
    ),
    "SG404": Entry(
        "several providers for an API without a router",
        "Nothing says which of them a call should go to.",
        "keep one of them",
        "inspect:\n  - {id: a, type: inline::builtin}\n  - {id: b, type: inline::other}",
    ),
    "SG405": Entry(
        "API without a provider",
        "The distribution serves the API, names no provider of it, and none is the default.",
        "add one under `providers:`, or remove the API from `apis:`",
        "apis: [inference]\nproviders: {}",
    ),
    "SG406": Entry(
        "two operations at one route",
        "One method and path can lead to one operation only.",
        "change a path or an alias prefix in one of the two API documents",
        "GET /v1/models in models.yaml and in catalogue.yaml",
    ),
    "SG407": Entry(
        "one component name, two contents",
        "Two APIs of the distribution define a schema of one name differently; their common document can hold "
        "only one.",
        "share it through `specs/apis/shared/`, or rename one of the two",
        "components: {schemas: {Model: …}}   # and another Model in another API",
    ),
    "SG408": Entry(
        "unused definition",
        "What nothing uses has no effect, and mostly stands for a name spelt wrong elsewhere.",
        "use it or remove it",
        "storage: {backends: {kv_default: …}}   # and no provider names kv_default",
    ),
    "SG409": Entry(
        "several workers over what cannot be shared",
        "The provider keeps state in its process (`processes: one`), so that workers would disagree.",
        "set `server.workers` to 1, or choose a provider that can be shared",
        "server: {workers: 4}   # with a provider of `processes: one`",
    ),
    "SG410": Entry(
        "one provider-data key, two formats",
        "Clients send one header for all providers, so one name in it has one meaning.",
        "use one format, or two names",
        "provider_data: {token: {format: password}}   # and elsewhere {format: uri}",
    ),
}

_CONFIG: Mapping[str, Entry] = {
    "SG501": Entry(
        "unknown config value",
        "The config of this provider type (or of the server, or of the resource) has no such value.",
        "`stackgen show provider TYPE` lists its values",
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

CATALOGUE: Mapping[str, Entry] = {**_FILES, **_SHAPE, **_NAMES, **_STRUCTURE, **_CONFIG, **SLOTS, **PARTS, **BUILD}
