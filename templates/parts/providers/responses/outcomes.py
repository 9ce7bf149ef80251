"""What the tools that the server runs have given, as the model reads it."""

from __future__ import annotations

import json
from typing import Any

from .citing import mark_of

Item = dict[str, Any]
"""JSON."""

SKIPPED = "This call was skipped: the response may not have more calls of tools. Answer with what is known."


def of_mcp(item: Item) -> str:
    if item.get("error"):
        return f"The tool has failed: {item['error']}"
    return item.get("output") or ""


def denied(reason: str) -> str:
    return f"The user does not allow this call: {reason}" if reason else "The user does not allow this call."


def web_query(item: Item) -> str:
    action = item.get("action") or {}
    return json.dumps({"query": action.get("query") or ""}, ensure_ascii=False)


def of_web(item: Item) -> str:
    if not isinstance(found := item.get("results"), list):
        return "The search has failed." if item.get("status") == "failed" else "What was found is not kept."
    return json.dumps(found, ensure_ascii=False)


def file_query(item: Item) -> str:
    queries = item.get("queries") or [""]
    return json.dumps({"query": queries[0]}, ensure_ascii=False)


def of_files(item: Item) -> str:
    """Each piece with the mark that the model is to cite it by."""
    found = item.get("results")
    if found is None:
        return "The search has failed." if item.get("status") == "failed" else "What was found is not kept."
    if not found:
        return "Nothing was found."
    lines = ["Behind each statement that is taken from a piece write its mark, exactly as it stands here.", ""]
    for each in found:
        name = each.get("filename") or "a file"
        lines += [f"From {name}, mark {mark_of(each.get('file_id') or '')}:", each.get("text") or "", ""]
    return "\n".join(lines)


def files_of(items: list[Item]) -> dict[str, str]:
    """The names of the files that searches have found, by id."""
    found: dict[str, str] = {}
    for item in items:
        if item["type"] == "file_search_call":
            for each in item.get("results") or ():
                if each.get("file_id"):
                    found[each["file_id"]] = each.get("filename") or ""
    return found
