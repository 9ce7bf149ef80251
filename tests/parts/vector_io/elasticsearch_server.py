"""A fake of an Elasticsearch server at its REST API: there is no package of the server.

Hand-written after the API's reference. It takes what it knows, and fails at anything else. Words are ranked by how many
of those asked for are there; scores of vectors are those that the reference gives for `cosine`.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from upstreams import FakeUpstream, Seen, answers, fake_upstream

KEY = "elastic-k3y-of-the-tests"
_SIGNS = {"gt": float.__gt__, "gte": float.__ge__, "lt": float.__lt__, "lte": float.__le__}

Document = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, kind: str, reason: str = "no") -> None:
        self.status = status
        self.body = {"error": {"type": kind, "reason": reason}, "status": status}


class FakeElasticsearch:
    """Documents by index and id."""

    def __init__(self) -> None:
        self.indexes: dict[str, dict[str, Document]] = {}
        self.aliases: dict[str, str] = {}
        self.dimensions: dict[str, int] = {}

    @asynccontextmanager
    async def serves(self) -> AsyncIterator[FakeUpstream]:
        async with fake_upstream(self._answer) as service:
            service.url = service.url.removesuffix("/v1")
            yield service

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        try:
            if seen.headers.get("authorization") != f"ApiKey {KEY}":
                raise Refused(401, "security_exception")
            return await answers(self._do(seen))(seen, writer)
        except Refused as error:
            return await answers(error.body, status=error.status)(seen, writer)

    def _do(self, seen: Seen) -> object:
        url = urlsplit(seen.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match seen.method, *url.path.strip("/").split("/"):
            case "GET", "":
                return {"tagline": "You Know, for Search"}
            case "PUT", index:
                return self._create(index, **json.loads(seen.body))
            case "DELETE", index:
                assert query == {"ignore_unavailable": "true"}
                self.indexes.pop(index, None)
                self.aliases = {alias: of for alias, of in self.aliases.items() if of != index}
                return {"acknowledged": True}
            case "POST", alias, "_bulk":
                assert query == {"refresh": "true", "require_alias": "true"}
                return self._bulk(alias, [json.loads(line) for line in seen.body.splitlines()])
            case "POST", alias, "_search":
                return {"hits": {"hits": self._search(alias, **json.loads(seen.body))}}
            case "POST", alias, "_delete_by_query" | "_update_by_query":
                assert query == {"refresh": "true"}
                return self._change(alias, **json.loads(seen.body))
        raise Refused(400, "illegal_argument_exception", seen.path)

    def _create(self, index: str, settings: object, mappings: Any, aliases: Mapping[str, object]) -> object:
        if index in self.indexes:
            raise Refused(400, "resource_already_exists_exception", f"index [{index}] already exists")
        self.indexes[index] = {}
        self.dimensions[index] = mappings["properties"]["vector"]["dims"]
        self.aliases |= dict.fromkeys(aliases, index)
        return {"acknowledged": True}

    def _bulk(self, alias: str, lines: Sequence[Any]) -> object:
        if alias not in self.aliases:
            error = {"type": "index_not_found_exception", "reason": f"no such index [{alias}]"}
            items = [{"index": {"status": 404, "error": error}} for _ in lines[::2]]
            return {"errors": True, "items": items}
        documents = self._documents(alias)
        for head, document in zip(lines[::2], lines[1::2], strict=True):
            vector = document.get("vector", [1.0] * self.dimensions[self.aliases[alias]])
            assert len(vector) == self.dimensions[self.aliases[alias]]
            assert any(vector), "[cosine] similarity does not support vectors with zero magnitude"
            documents[head["index"]["_id"]] = document
        return {"errors": False, "items": [{"index": {"status": 201}} for _ in lines[::2]]}

    def _change(self, alias: str, query: Any, script: Any = None) -> object:
        documents = self._documents(alias)
        for id, document in list(documents.items()):
            if _holds(query, document):
                if script is None:
                    del documents[id]
                else:
                    assert script["source"] == "ctx._source.putAll(params.labels)"
                    documents[id] = document | script["params"]["labels"]
        return {"failures": []}

    def _search(
        self, alias: str, size: int, _source: object, track_total_hits: bool, knn: Any = None, query: Any = None
    ) -> list[Document]:
        found = []
        for id, document in self._documents(alias).items():
            if knn is not None:
                assert knn["k"] <= knn["num_candidates"] <= 10_000
                score = _nearness(knn["query_vector"], document.get("vector"))
                among = knn["filter"]
            else:
                (text,) = query["bool"]["must"]
                score = _fit(text["match"]["text"]["query"], document["text"])
                among = query["bool"]["filter"]
            if score > 0 and all(_holds(each, document) for each in among):
                found.append({"_id": id, "_score": score, "_source": {"attributes": document["attributes"]}})
        return sorted(found, key=lambda each: -float(each["_score"]))[:size]

    def _documents(self, alias: str) -> dict[str, Document]:
        if alias not in self.aliases:
            raise Refused(404, "index_not_found_exception", f"no such index [{alias}]")
        return self.indexes[self.aliases[alias]]


def _holds(query: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    ((kind, said),) = query.items()
    match kind:
        case "term":
            ((name, value),) = said.items()
            return bool(document[name.removeprefix("numbers.")] == value)
        case "terms":
            return bool(set(said["marks"]) & set(document["marks"]))
        case "range":
            ((sign, value),) = said["numbers.value"].items()
            return bool(_SIGNS[sign](float(document["value"]), float(value)))
        case "nested":
            return any(_holds(said["query"], each) for each in document[said["path"]])
        case "bool":
            assert set(said) <= {"filter", "should", "minimum_should_match", "must_not"}
            some = [_holds(each, document) for each in said.get("should", [])]
            return (
                all(_holds(each, document) for each in said.get("filter", []))
                and not any(_holds(each, document) for each in said.get("must_not", []))
                and sum(some) >= said.get("minimum_should_match", 0)
            )
    raise Refused(400, "parsing_exception", f"unknown query [{kind}]")


def _nearness(one: Sequence[float], other: Sequence[float] | None) -> float:
    if other is None:
        return 0.0
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return (1 + product / (math.hypot(*one) * math.hypot(*other))) / 2 or 1e-9


def _fit(asked: str, text: str) -> float:
    there = _words(text)
    return sum(there.count(word) / (there.count(word) + 1.2) for word in set(_words(asked)))


def _words(text: str) -> list[str]:
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return re.findall(r"\w+", plain.lower())
