"""Calls to a fake upstream, as the tests of the way there make them."""

from __future__ import annotations

import pytest
from conftest import KEY, QUICK
from parts.runtime.errors import StackError
from parts.runtime.secret import Secret
from parts.runtime.upstream import Call, open_upstream
from parts.runtime.upstream_config import NetworkConfig
from upstreams import (
    answers,
)

POST = Call("POST", "things", body=b"{}", headers={"Authorization": f"Bearer {KEY}"}, secrets=(Secret(KEY),))
OK = answers({"ok": True})


async def fetch(url: str, network: NetworkConfig = QUICK, call: Call = POST) -> bytes:
    async with open_upstream(url, network) as upstream:
        return await upstream.fetch(call)


async def fails(url: str, network: NetworkConfig = QUICK, call: Call = POST) -> StackError:
    with pytest.raises(StackError) as caught:
        await fetch(url, network, call)
    assert KEY not in caught.value.message
    assert KEY not in str(caught.value.code)
    assert len(caught.value.message) < 2200
    return caught.value
