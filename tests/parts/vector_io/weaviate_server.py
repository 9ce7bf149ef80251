"""A fake of a Weaviate server, hand-written after its REST and GraphQL references: no package has the server.

It keeps objects in memory, and finds them as the references say: filters by whole texts (tokenization `field`), the
nearest by inner product, words (tokenization `word`) by how many of them there are. It answers as Weaviate does where
a class is missing: 404 in the schema, an error with the status 200 in GraphQL, and a new class for objects of none.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from upstreams import FakeUpstream, Seen, answers, fake_upstream

KEY = "weaviate-k3y-of-the-tests"
MOST = 10_000
Object = dict[str, Any]

_QUERY = re.compile(r"\{ Get \{ (\w+)\((.*)\) \{ ([\w ]+?)(?: _additional \{ ([\w ]+) \})? \} \} \}", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\w.+-]+|[{}\[\]:,]')


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass
class Class:
    described: Mapping[str, Any]
    objects: dict[str, Object] = field(default_factory=dict)

    def properties(self) -> dict[str, Mapping[str, Any]]:
        return {each["name"]: each for each in self.described["properties"]}


class FakeWeaviate:
    """classes: by name. at_once: objects that one request removes. refused: ids of entries that it does not take."""

    def __init__(self) -> None:
        self.classes: dict[str, Class] = {}
        self.at_once = 7
        self.refused: set[str] = set()

    @asynccontextmanager
    async def serves(self) -> AsyncIterator[FakeUpstream]:
        async with fake_upstream(self._answer) as service:
            service.url = service.url.removesuffix("/v1")
            yield service

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            said = {"code": 401, "message": "anonymous access not enabled"}
            return await answers(said, status=401)(seen, writer)
        try:
            body = self._do(seen)
        except Refused as error:
            refusal: object = {"error": [{"message": str(error)}]} if str(error) else b""
            return await answers(refusal, status=error.status)(seen, writer)
        return await answers(b"" if body is None else body)(seen, writer)

    def _do(self, seen: Seen) -> object:
        body = json.loads(seen.body) if seen.body else {}
        match seen.method, *seen.path.removeprefix("/v1/").split("/"):
            case "GET", "meta":
                return {"hostname": "http://[::]:8080", "version": "1.30.0", "modules": {}}
            case "GET", "schema", name:
                return self._class(name).described
            case "POST", "schema":
                if body["class"] in self.classes:
                    raise Refused(422, f"class name {body['class']!r} already exists")
                if not re.fullmatch("[A-Z][_0-9A-Za-z]*", body["class"]):
                    raise Refused(422, f"{body['class']!r} is not a valid class name")
                self.classes[body["class"]] = Class(body)
                return body
            case "DELETE", "schema", name:
                self.classes.pop(name, None)
                return None
            case "POST", "batch", "objects":
                return [self._put(each) for each in body["objects"]]
            case "DELETE", "batch", "objects":
                return self._removed(body["match"]["class"], body["match"]["where"])
            case "POST", "graphql":
                return self._found(body["query"])
        raise Refused(404, "")

    def _class(self, name: str) -> Class:
        if name not in self.classes:
            raise Refused(404, "")
        return self.classes[name]

    def _put(self, given: Object) -> object:
        if given["properties"]["entry"] in self.refused:
            errors = {"error": [{"message": f"vector lengths do not match, at {KEY}"}]}
            return {**given, "result": {"status": "FAILED", "errors": errors}}
        self.classes.setdefault(given["class"], Class({"properties": []})).objects[given["id"]] = given
        return {**given, "result": {"status": "SUCCESS"}}

    def _removed(self, name: str, where: Any) -> object:
        found = self._class(name)
        matching = [id for id, each in found.objects.items() if holds(found, where)(each)]
        for id in matching[: self.at_once]:
            del found.objects[id]
        done = min(len(matching), self.at_once)
        return {"results": {"matches": len(matching), "limit": self.at_once, "successful": done, "failed": 0}}

    def _found(self, query: str) -> object:
        parsed = _QUERY.fullmatch(query)
        if parsed is None:
            return {"errors": [{"message": f"Syntax Error GraphQL request: {query[:80]}"}]}
        name, arguments, fields, more = parsed.groups()
        if name not in self.classes:
            return {"errors": [{"message": f'Cannot query field "{name}" on type "GetObjectsObj".'}], "data": None}
        asked = literal("{" + arguments + "}")
        if asked["limit"] > MOST:
            return {"errors": [{"message": f"query maximum results exceeded: {asked['limit']}"}]}
        found = self.classes[name]
        let_through = holds(found, asked.pop("where", None))
        objects = [each for each in found.objects.values() if let_through(each)]
        scored = sorted(_scored(found, objects, asked), key=lambda pair: -pair[0])[: asked["limit"]]
        rows = []
        for score, each in scored:
            additional = {"id": each["id"], "vector": each["vector"], "score": str(score), "distance": -score}
            row = {field: each["properties"][field] for field in fields.split()}
            rows.append(row | {"_additional": {key: additional[key] for key in (more or "").split()}})
        return {"data": {"Get": {name: rows}}}


def _scored(found: Class, objects: list[Object], asked: Mapping[str, Any]) -> list[tuple[float, Object]]:
    if "nearVector" in asked:
        assert found.described["vectorIndexConfig"] == {"distance": "dot"}
        wanted = asked["nearVector"]["vector"]
        return [(sum(a * b for a, b in zip(wanted, each["vector"], strict=True)), each) for each in objects]
    if "bm25" not in asked:
        return [(0.0, each) for each in objects]
    (name,) = asked["bm25"]["properties"]
    assert found.properties()[name]["tokenization"] == "word"
    words = set(_words(asked["bm25"]["query"]))
    if found.described["invertedIndexConfig"]["stopwords"]["preset"] != "none":
        words -= {"a", "and", "not", "or", "the"}
    counted = [(sum(each in words for each in _words(one["properties"][name])), one) for one in objects]
    return [(float(count), each) for count, each in counted if count]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def holds(found: Class, where: Any) -> Callable[[Object], bool]:
    """What a filter says of an object."""
    if where is None:
        return lambda each: True
    if where["operator"] in ("And", "Or"):
        parts = [holds(found, each) for each in where["operands"]]
        assert parts, "operands: at least one"
        every = all if where["operator"] == "And" else any
        return lambda each: every(part(each) for part in parts)
    (name,) = where["path"]
    described = found.properties()[name]
    assert described["indexFilterable"], f"{name} cannot be filtered by"
    assert described["tokenization"] == "field"
    wanted = where["valueText"]

    def texts(each: Object) -> list[str]:
        value = each["properties"][name]
        return value if isinstance(value, list) else [value]

    match where["operator"]:
        case "Equal":
            return lambda each: wanted in texts(each)
        case "NotEqual":
            return lambda each: wanted not in texts(each)
        case "ContainsAny":
            assert isinstance(wanted, list)
            assert wanted
            return lambda each: not set(wanted).isdisjoint(texts(each))
    raise Refused(422, f"unknown operator {where['operator']}")


def literal(text: str) -> Any:
    """A value as GraphQL writes it: JSON, but for names and enums, which have no quotes."""
    tokens = [each if each[0] in '"{}[]:,-0123456789' else f'"{each}"' for each in _TOKEN.findall(text)]
    return json.loads(" ".join(tokens))
