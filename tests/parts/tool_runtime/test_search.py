"""What is peculiar to each service that is searched: how it is asked, what it answers, what its refusals mean."""

from __future__ import annotations

import json

import pytest
from parts.contracts.tool_runtime.requests import InvokeToolRequest
from parts.providers.tool_runtime.search import LONGEST_QUERY, SearchTool
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Unauthenticated, UpstreamError
from parts.runtime.secret import Secret
from search_services import KEY, SERVICES, content
from upstreams import answers, fake_upstream, refuses, shows_html

CTX = Context("r")
QUERY = "cats & dogs"


async def ask(tool: SearchTool, query: object = QUERY, ctx: Context = CTX, **more: object) -> object:
    request = InvokeToolRequest(tool_name=tool._service.tool, kwargs={"query": query, **more})
    return content((await tool.invoke_tool(request, ctx)).content)


@pytest.mark.parametrize("name", ["brave", "tavily", "bing"])
async def test_a_search_answers_as_many_results_as_are_wanted_in_one_form(name: str) -> None:
    service = SERVICES[name]
    async with service.fake() as fake, service.opens(service.config(fake.url), instance="s") as tool:
        found = await ask(tool, max_results=50)
        assert isinstance(found, dict)
        assert found["query"] == QUERY
        assert len(found["top_k"]) == 3
        one = {"title": f"On {QUERY}", "url": "https://a.example/"}
        assert found["top_k"][0] == {
            **one,
            "content": f"All of {QUERY}",
            **({"age": "2026"} if name == "brave" else {}),
        }


async def test_wolfram_alpha_answers_the_text_of_its_pods() -> None:
    service = SERVICES["wolfram"]
    async with service.fake() as fake, service.opens(service.config(fake.url), instance="s") as tool:
        assert await ask(tool) == {"query": QUERY, "understood": True, "results": [{"title": "Input", "text": QUERY}]}


@pytest.mark.parametrize(
    ("name", "document"),
    [("brave", {"type": "search"}), ("tavily", {"results": []}), ("bing", {"_type": "SearchResponse"})],
)
async def test_nothing_found_is_an_answer(name: str, document: object) -> None:
    service = SERVICES[name]
    async with fake_upstream(answers(document)) as fake, service.opens(service.config(fake.url), instance="s") as tool:
        assert await ask(tool) == {"query": QUERY, "top_k": []}


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("document", [{}, [], "x", {"web": {"results": 7}}, {"results": {}}, {"queryresult": {}}])
async def test_what_is_no_result_is_no_empty_one(name: str, document: object) -> None:
    service = SERVICES[name]
    async with fake_upstream(answers(document)) as fake, service.opens(service.config(fake.url), instance="s") as tool:
        with pytest.raises(UpstreamError, match=r"127.0.0.1:\d+ answered what is no result"):
            await ask(tool)


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_that_fails_is_named_and_its_key_is_not(name: str) -> None:
    service = SERVICES[name]
    for script, status in (
        (refuses(429, f"too many for {KEY}"), 429),
        (refuses(500, f"broken with {KEY}"), 502),
        (refuses(404, "Not Found"), 502),
        (shows_html(), 502),
    ):
        async with fake_upstream(script) as fake, service.opens(service.config(fake.url), instance="s") as tool:
            with pytest.raises(Exception, match=r"127.0.0.1") as caught:
                await ask(tool)
            assert getattr(caught.value, "status", None) == status
            assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", SERVICES)
async def test_the_clients_key_goes_before_the_servers_and_one_is_needed(name: str) -> None:
    service = SERVICES[name]
    mine = Context("r", provider_data={service.credential: Secret(KEY)})
    async with service.fake() as fake:
        async with service.opens(service.config(fake.url, "another"), instance="s") as tool:
            assert await ask(tool, ctx=mine)
        async with service.opens(service.config(fake.url, None), instance="s") as tool:
            with pytest.raises(Unauthenticated, match=f"providers.tool_runtime.s.api_key.*{service.credential}"):
                await ask(tool)
            with pytest.raises(Unauthenticated, match="no header can carry"):
                await ask(tool, ctx=Context("r", provider_data={service.credential: Secret("schlüssel")}))


@pytest.mark.parametrize("query", ["", "  ", "x" * (LONGEST_QUERY + 1), "\ud800", None, 3])
async def test_a_query_is_text_within_bounds(query: object) -> None:
    service = SERVICES["tavily"]
    async with service.fake() as fake, service.opens(service.config(fake.url), instance="s") as tool:
        with pytest.raises(BadRequest) as caught:
            await ask(tool, query)
        assert caught.value.param == "kwargs.query"
        assert fake.requests == []


async def test_tavily_is_sent_json() -> None:
    service = SERVICES["tavily"]
    async with service.fake() as fake, service.opens(service.config(fake.url), instance="s") as tool:
        await ask(tool)
        assert json.loads(fake.requests[0].body) == {"query": QUERY, "max_results": 3}
