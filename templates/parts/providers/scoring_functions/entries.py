"""What a scoring function is to the table, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter, ValidationError

from ...contracts.scoring_functions.responses import ScoringFn
from ...contracts.shared.scoring import ScoringFnParams
from ...runtime.errors import BadRequest, SettingsError
from ...runtime.scoring import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamsResource:
    """type: None where the distribution says nothing of how to score."""

    type: str | None = None
    judge_model: str | None = None
    prompt_template: str | None = None
    judge_score_regexes: Sequence[str] = ()
    parsing_regexes: Sequence[str] = ()
    aggregation_functions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringFnResource:
    """A scoring function declared by the distribution. scoring_fn_id, provider_id: None (an empty slot) leaves it out.
    provider_scoring_fn_id: None for the provider's function of the same name.
    """

    scoring_fn_id: str | None
    provider_id: str | None
    provider_scoring_fn_id: str | None = None
    description: str | None = None
    params: ParamsResource = field(default_factory=ParamsResource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One scoring function as clients see it, and whose it is.

    function: its name there. returns: the type of a `ParamType`.
    """

    id: str
    instance: str
    function: str
    description: str
    returns: str
    params: ScoringFnParams | None


def params_of(said: object) -> ScoringFnParams | None:
    """Raises ValueError."""
    made: ScoringFnParams | None = TypeAdapter(ScoringFnParams | None).validate_python(said)
    return made


def built_in(scorers: Mapping[str, Scorer]) -> dict[str, Entry]:
    """The functions that providers come with, by id; of two with one id the first instance's."""
    found: dict[str, Entry] = {}
    for instance, scorer in scorers.items():
        for each in scorer.functions():
            entry = Entry(
                id=each.id,
                instance=instance,
                function=each.id,
                description=each.description,
                returns=each.returns,
                params=each.params,
            )
            found.setdefault(each.id, entry)
    return found


def declared(resources: Sequence[ScoringFnResource], scorers: Mapping[str, Scorer]) -> dict[str, Entry]:
    """The distribution's functions, by id. One of a provider that is switched off is absent with it.

    Raises SettingsError for one that its provider does not have, or not so.
    """
    found: dict[str, Entry] = {}
    problems: list[str] = []
    for each in resources:
        if not each.scoring_fn_id or not each.provider_id or each.provider_id not in scorers:
            continue
        try:
            found[each.scoring_fn_id] = _declared(each, each.scoring_fn_id, each.provider_id, scorers)
        except (BadRequest, ValidationError) as error:
            why = error.message if isinstance(error, BadRequest) else "; ".join(_told(error))
            problems.append(f"resources.scoring_fns {each.scoring_fn_id!r}: {why}")
    if problems:
        raise SettingsError(problems)
    return found


def _declared(each: ScoringFnResource, identity: str, instance: str, scorers: Mapping[str, Scorer]) -> Entry:
    function = function_named(each.provider_scoring_fn_id or identity, instance, scorers)
    said = {key: value for key, value in asdict(each.params).items() if value}
    params = params_of(said) if said else function.params
    scorers[instance].check(function.function, params)
    return Entry(
        id=identity,
        instance=instance,
        function=function.function,
        description=each.description or function.description,
        returns=function.returns,
        params=params,
    )


def function_named(name: str, instance: str, scorers: Mapping[str, Scorer]) -> Entry:
    """A function that an instance comes with. Raises BadRequest."""
    own = built_in({instance: scorers[instance]})
    if name not in own:
        message = f"provider {instance!r} has no scoring function {name[:200]!r}; it has {', '.join(own)}"
        raise BadRequest(message, code="scoring_function_not_found", param="provider_scoring_fn_id")
    return own[name]


def present(entry: Entry) -> ScoringFn:
    """A scoring function as Llama Stack's clients know it."""
    shown = ScoringFn.model_validate(
        {
            "identifier": entry.id,
            "provider_id": entry.instance,
            "provider_resource_id": entry.function,
            "type": "scoring_function",
            "description": entry.description,
            "metadata": {},
            "return_type": {"type": entry.returns},
        }
    )
    if entry.params is not None:
        shown.params = entry.params
    return shown


def _told(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        yield f"params.{'.'.join(map(str, each['loc']))}: {each['msg']}"
