"""SG8 importing run configs: SG80x are errors, nothing is imported; SG81x notices of what is left out or changed."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

IMPORTING: Mapping[str, Entry] = {
    "SG801": Entry(
        "no run config",
        "`stackgen import` reads run configs and build configs of Llama Stack and OGX: a mapping with `providers:`, or "
        "with `distribution_spec:`.",
        "name the run config; a distribution of stackgen's own is used as it is, with `--specs`",
        "providers: []   # run.yaml",
    ),
    "SG802": Entry(
        "old form of run config",
        "Only version 2 is read. Older configs had providers and resources in one routing table.",
        "start it once with a Llama Stack of its time, which writes it anew, or copy its providers into a new one",
        "version: 1\nrouting_table: {}",
    ),
    "SG803": Entry(
        "two resources under one id",
        "A resource is known by its id; two that differ would hide one another.",
        "remove one, or give it another id",
        "models:\n  - {model_id: m, provider_id: a}\n  - {model_id: m, provider_id: a, model_type: embedding}",
    ),
    "SG811": Entry(
        "API left out",
        "stackgen does not have this API, or no provider of it could be imported. The rest of the config is.",
        "`stackgen list apis` names those there are; a workspace may add one",
        "providers:\n  telemetry: […]",
        notice=True,
    ),
    "SG812": Entry(
        "provider left out",
        "stackgen does not have this provider type, or the instance cannot be one here: it is switched off for good, "
        "its id is no name, or a value that it needs is missing.",
        "`stackgen list providers` names those there are; a workspace may add one",
        "- provider_id: mine\n  provider_type: remote::mine",
        notice=True,
    ),
    "SG813": Entry(
        "value left out",
        "The provider (or the server, or the resource) has no such value here, or the value does not fit its schema.",
        "`stackgen show provider TYPE` says which values there are",
        "config: {append_api_version: true}",
        notice=True,
    ),
    "SG814": Entry(
        "section or resource left out",
        "A distribution has no place for it, or what it belongs to could not be imported.",
        "nothing, if the server need not have it",
        "telemetry: {enabled: true}",
        notice=True,
    ),
    "SG815": Entry(
        "said twice",
        "The same entry stands there twice, word for word; it is imported once.",
        "remove one of them",
        "inference:\n  - {provider_id: a, provider_type: remote::nvidia}\n"
        "  - {provider_id: a, provider_type: remote::nvidia}",
        notice=True,
    ),
    "SG816": Entry(
        "imported with a change",
        "The value could not be said in quite the same way, so that the server may behave otherwise there.",
        "see whether the new value does, and change it in the written file if it does not",
        "provider_id: ${env.ENABLE_VLLM:=__disabled__}   # becomes ${env.ENABLE_VLLM:+vllm}",
        notice=True,
    ),
    "SG817": Entry(
        "nothing left to serve",
        "None of the config's providers could be imported, so the server has only APIs that tell of itself.",
        "the notices beside this one say why each was left out",
        "providers:\n  telemetry: […]   # and nothing else",
        notice=True,
    ),
}
