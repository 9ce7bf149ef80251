"""The rules of the models table, as functions of what the providers listed and the distribution registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...runtime.models import ModelSource, ModelType, ProviderModel

AUTO = "auto"
"""As `provider_model_id`: the provider's first model of the resource's type."""

ANY_PROVIDER = "all"
"""As `provider_id`: the first instance that lists the model, else the first instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResource:
    """A model registered by the distribution.

    model_id: the name clients use; None (an empty slot) leaves the resource out.
    provider_id: None means the only provider there is.
    provider_model_id: the provider's name for it, None for the same name.
    """

    model_id: str | None
    provider_id: str | None
    provider_model_id: str | None
    model_type: ModelType
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model as clients see it, and where it lives. declared_type: set where the distribution said the type."""

    id: str
    instance: str
    provider_model_id: str
    model_type: ModelType = "llm"
    declared_type: ModelType | None = None
    created: int = 0
    owned_by: str = ""
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Offer:
    """What one provider serves. entries: to be shown, in its order. listed: what it listed, by name; None before."""

    entries: Sequence[Entry]
    listed: Mapping[str, ProviderModel] | None


Sources = Mapping[str, ModelSource]
Offers = Mapping[str, Offer]


def offer_of(instance: str, source: ModelSource, listing: Sequence[ProviderModel] | None) -> Offer:
    """The offer of a provider that has listed these models, or has listed none yet."""
    entries = [_listed(instance, model) for model in _offered(source, listing)]
    if listing is None:
        return Offer(entries, None)
    listed: dict[str, ProviderModel] = {}
    for model in listing:
        listed.setdefault(model.id, model)
    return Offer(entries, listed)


def build_entries(
    sources: Sources, offers: Offers, resources: Sequence[ModelResource], *, settled: bool
) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """(the models to show, by id; the models reachable by their provider's bare name).

    Done anew for each provider that answers, so it takes what the others offer as it is. settled: every provider has
    answered its first listing, or is not waited for any longer; until then a model that any provider may serve waits
    for them.
    """
    entries: dict[str, Entry] = {}
    bare: dict[str, Entry] = {}
    for instance in sources:
        for entry in offers[instance].entries:
            entries[entry.id] = entry
            bare.setdefault(entry.provider_model_id, entry)
    for resource in resources:
        registered = _registered(resource, sources, offers, settled)
        if registered is not None and resource.model_id is not None:
            entries[registered.id] = registered
            bare.setdefault(resource.model_id, registered)
    return entries, bare


def passes_through(model: str, sources: Sources, offers: Offers) -> Entry | None:
    """The entry of `<provider_id>/<name>` whose provider has not said that it lacks the name.

    A provider lists its models with the key of the settings; where there is none, or its list is not everything it
    serves, only the provider itself can tell, and it does so in its answer.
    """
    instance, slash, name = model.partition("/")
    source = sources.get(instance)
    if source is None or not slash or not name:
        return None
    if source.allowed_models is not None and name not in source.allowed_models:
        return None
    if source.lists_all and offers[instance].listed is not None:
        return None
    return Entry(id=model, instance=instance, provider_model_id=name, metadata={})


def _offered(source: ModelSource, listing: Sequence[ProviderModel] | None) -> Sequence[ProviderModel]:
    allowed = source.allowed_models
    if allowed is None:
        return listing or ()
    if listing is None or not source.lists_all:
        known = {model.id: model for model in listing or ()}
        return [known.get(name) or ProviderModel(id=name) for name in allowed]
    names = frozenset(allowed)
    return [model for model in listing if model.id in names]


def _listed(instance: str, model: ProviderModel) -> Entry:
    return Entry(
        id=f"{instance}/{model.id}",
        instance=instance,
        provider_model_id=model.id,
        model_type=model.model_type,
        created=model.created,
        owned_by=model.owned_by,
        metadata=model.metadata,
    )


def _registered(resource: ModelResource, sources: Sources, offers: Offers, settled: bool) -> Entry | None:
    wanted = resource.provider_model_id or resource.model_id
    instance = _instance_of(resource, wanted, sources, offers, settled)
    if instance is None or wanted is None:
        return None
    listed = offers[instance].listed or {}
    if wanted == AUTO:
        first = next((model.id for model in listed.values() if model.model_type == resource.model_type), None)
        if first is None:
            return None
        wanted = first
    name = resource.model_id or wanted
    # A name of its own is an alias; one that repeats the provider's gets its prefix, unless any provider may serve it.
    prefixed = resource.provider_id != ANY_PROVIDER and wanted == name and not name.startswith(f"{instance}/")
    return Entry(
        id=f"{instance}/{name}" if prefixed else name,
        instance=instance,
        provider_model_id=wanted,
        model_type=resource.model_type,
        declared_type=resource.model_type,
        created=listed[wanted].created if wanted in listed else 0,
        metadata=resource.metadata,
    )


def _instance_of(
    resource: ModelResource, wanted: str | None, sources: Sources, offers: Offers, settled: bool
) -> str | None:
    if resource.provider_id in sources:
        return resource.provider_id
    candidates = list(sources)
    if resource.provider_id == ANY_PROVIDER:
        for instance in candidates:
            if wanted in (offers[instance].listed or ()):
                return instance
        return candidates[0] if candidates and settled else None
    return candidates[0] if len(candidates) == 1 else None
