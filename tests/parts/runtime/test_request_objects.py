"""Objects that come where only text can stand: in the query, and in the provider-data header."""

from __future__ import annotations

import json

import pytest
from parts.contracts.tool_runtime.requests import ListRuntimeToolsRequest
from parts.runtime.errors import BadRequest
from parts.runtime.http_request import parameters, validate_merged
from parts.runtime.provider_data import read_provider_data

HEADER = b"x-llamastack-provider-data"


def test_a_model_in_the_query_is_named_member_by_member() -> None:
    read = parameters(ListRuntimeToolsRequest)
    given = read(b"mcp_endpoint%5Buri%5D=http%3A%2F%2Fa%2Fmcp&tool_group_id=g")
    request = validate_merged(ListRuntimeToolsRequest, given)
    assert request.mcp_endpoint is not None
    assert (request.mcp_endpoint.uri, request.tool_group_id) == ("http://a/mcp", "g")
    with pytest.raises(BadRequest, match="uri"):
        validate_merged(ListRuntimeToolsRequest, read(b"mcp_endpoint[url]=http://a"))


def test_an_object_in_provider_data_is_kept_as_a_secret() -> None:
    headers = {"http://a": {"X-Key": "s3cret"}}
    found = read_provider_data({HEADER: json.dumps({"mcp_headers": headers}).encode()}, {"mcp_headers": "object"})
    assert json.loads(found["mcp_headers"].reveal()) == headers
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("value", ["s3cret", ["s3cret"], 7])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(BadRequest, match=r"mcp_headers in the header .* must be a JSON object") as caught:
        read_provider_data({HEADER: json.dumps({"mcp_headers": value}).encode()}, {"mcp_headers": "object"})
    assert "s3cret" not in caught.value.message
