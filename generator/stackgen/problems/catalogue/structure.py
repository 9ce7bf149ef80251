"""SG3 names that lead nowhere, SG4 what does not go together."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

NAMES: Mapping[str, Entry] = {
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
    "SG309": Entry(
        "reference that leads nowhere",
        "A `$ref` of an API document names a schema of the same document (`#/components/schemas/Name`) or of a shared "
        "file (`shared/file.yaml#/Name`), and there is none of this name; or it would bring in a second schema of a "
        "name that the document has already.",
        "correct the name, or write the schema",
        'schema: {$ref: "#/components/schemas/Modell"}',
    ),
    "SG310": Entry(
        "value that names what is not there",
        "The value is the name of an instance or of a resource of the distribution, and the distribution has none of "
        "this name: the first request that goes by it would fail.",
        "name one that is there, add it, or leave the value out",
        "vector_stores:\n  - {id: builtin, type: inline::builtin, config: {default_provider_id: fais}}",
    ),
}

STRUCTURE: Mapping[str, Entry] = {
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
    "SG411": Entry(
        "one name, two operations",
        "An operationId names a method of the contract and an operation of the common document, so each is used once.",
        "rename one of the two",
        "operationId: listModels   # in models.yaml, and again in catalogue.yaml",
    ),
}
