"""An item of every type, as OpenAI's document has it; everything that may be there is."""

from __future__ import annotations

from typing import Any

_LOGPROB = {
    "token": "A",
    "logprob": -0.25,
    "bytes": [65],
    "top_logprobs": [{"token": "B", "logprob": -1.5, "bytes": [66]}],
}
_CHECK = {"id": "cu_sc_1", "code": "malicious", "message": "look first"}
_CITED: list[dict[str, Any]] = [
    {"type": "file_citation", "file_id": "file-1", "index": 3, "filename": "a.txt"},
    {"type": "url_citation", "url": "https://example.org", "start_index": 0, "end_index": 4, "title": "Example"},
    {
        "type": "container_file_citation",
        "container_id": "cntr_1",
        "file_id": "cfile_1",
        "start_index": 0,
        "end_index": 1,
        "filename": "b.csv",
    },
    {"type": "file_path", "file_id": "file-2", "index": 7},
]
_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "f", "description": None, "parameters": {"type": "object"}, "strict": True},
    {
        "type": "file_search",
        "vector_store_ids": ["vs_1"],
        "ranking_options": {"ranker": "auto", "hybrid_search": {"embedding_weight": 0.5, "text_weight": 1.5}},
        "filters": {
            "type": "or",
            "filters": [
                {"type": "eq", "key": "a", "value": "b"},
                {"type": "and", "filters": [{"type": "in", "key": "c", "value": ["d", 1.5]}]},
            ],
        },
    },
    {"type": "computer"},
    {"type": "computer_use_preview", "environment": "linux", "display_width": 800, "display_height": 600},
    {"type": "web_search", "filters": {"allowed_domains": ["example.org"]}, "search_context_size": "low"},
    {"type": "web_search_preview", "user_location": {"type": "approximate", "country": "PT", "city": None}},
    {
        "type": "mcp",
        "server_label": "m",
        "allowed_tools": {"tool_names": ["t"], "read_only": True},
        "require_approval": {"always": {"tool_names": ["u"]}},
    },
    {"type": "mcp", "server_label": "n", "allowed_tools": ["t"], "require_approval": "never"},
    {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g", "file_ids": ["file-1"]}},
    {"type": "code_interpreter", "container": "cntr_1"},
    {"type": "image_generation", "input_image_mask": {"file_id": "file-3"}, "size": "1024x1024"},
    {"type": "local_shell"},
    {
        "type": "shell",
        "environment": {
            "type": "container_auto",
            "network_policy": {"type": "allowlist", "allowed_domains": ["example.org"]},
            "skills": [{"type": "skill_reference", "skill_id": "s"}],
        },
    },
    {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "regex", "definition": "a+"}},
    {
        "type": "namespace",
        "name": "n",
        "description": "d",
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c", "format": {"type": "text"}}],
    },
    {"type": "tool_search", "execution": "client"},
    {"type": "apply_patch"},
]
_ACTIONS: list[dict[str, Any]] = [
    {"type": "click", "button": "left", "x": 1, "y": 2, "keys": ["Shift"]},
    {"type": "double_click", "x": 1, "y": 2, "keys": None},
    {"type": "drag", "path": [{"x": 0, "y": 0}, {"x": 5, "y": 5}]},
    {"type": "keypress", "keys": ["Enter"]},
    {"type": "move", "x": 3, "y": 4},
    {"type": "screenshot"},
    {"type": "scroll", "x": 0, "y": 0, "scroll_x": 0, "scroll_y": -5},
    {"type": "type", "text": "hello"},
    {"type": "wait"},
]

SAMPLES: tuple[dict[str, Any], ...] = (
    {
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [
            {"type": "input_text", "text": "Look:"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "file_id": None, "detail": "original"},
            {"type": "input_file", "file_id": None, "filename": "a.pdf", "file_data": "QQ==", "file_url": None},
            {"type": "computer_screenshot", "image_url": "https://example.org/a", "file_id": None, "detail": "low"},
        ],
    },
    {
        "type": "message",
        "role": "assistant",
        "status": "incomplete",
        "phase": "final_answer",
        "content": [
            {"type": "output_text", "text": "Seen.", "annotations": _CITED, "logprobs": [_LOGPROB]},
            {"type": "refusal", "refusal": "No."},
            {"type": "text", "text": "a"},
            {"type": "summary_text", "text": "b"},
            {"type": "reasoning_text", "text": "c"},
        ],
    },
    {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "In short."}],
        "content": [{"type": "reasoning_text", "text": "At length."}],
        "encrypted_content": "gAAA",
        "status": "completed",
    },
    {"type": "compaction", "encrypted_content": "gAAB"},
    {
        "type": "function_call",
        "call_id": "call_1",
        "namespace": "n",
        "name": "f",
        "arguments": '{"a": 1}',
        "status": "in_progress",
    },
    {"type": "function_call_output", "call_id": "call_1", "output": "4", "status": "completed"},
    {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": [{"type": "input_text", "text": "4"}, {"type": "input_image", "file_id": "file-1", "detail": "low"}],
        "status": "incomplete",
    },
    {"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "aaa"},
    {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_file", "file_id": "file-1"}]},
    {
        "type": "tool_search_call",
        "call_id": "call_3",
        "execution": "client",
        "arguments": {"query": ["a", {"b": None}]},
        "status": "completed",
    },
    {"type": "tool_search_output", "call_id": None, "execution": "server", "tools": _TOOLS, "status": "completed"},
    {
        "type": "file_search_call",
        "queries": ["a", "b"],
        "status": "searching",
        "results": [
            {
                "file_id": "file-1",
                "text": "t",
                "filename": "a.txt",
                "attributes": {"a": "b", "n": 1.5, "yes": True},
                "score": 0.75,
            }
        ],
    },
    {
        "type": "web_search_call",
        "status": "completed",
        "action": {
            "type": "search",
            "query": "q",
            "queries": ["q"],
            "sources": [{"type": "url", "url": "https://example.org"}],
        },
        "results": [{"url": "https://example.org", "snippet": "s"}],
    },
    {"type": "web_search_call", "status": "failed", "action": {"type": "open_page", "url": "https://example.org"}},
    {
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "find_in_page", "url": "https://example.org", "pattern": "p"},
    },
    {"type": "image_generation_call", "status": "generating", "result": "AA=="},
    {
        "type": "code_interpreter_call",
        "container_id": "cntr_1",
        "code": "print(1)",
        "outputs": [{"type": "logs", "logs": "1\n"}, {"type": "image", "url": "https://example.org/i"}],
        "status": "completed",
    },
    *(
        {
            "type": "computer_call",
            "call_id": "call_4",
            "action": action,
            "pending_safety_checks": [_CHECK],
            "status": "completed",
        }
        for action in _ACTIONS
    ),
    {
        "type": "computer_call",
        "call_id": "call_4",
        "actions": _ACTIONS,
        "pending_safety_checks": [],
        "status": "incomplete",
    },
    {
        "type": "computer_call_output",
        "call_id": "call_4",
        "output": {"type": "computer_screenshot", "image_url": "https://example.org/s", "file_id": "file-1"},
        "acknowledged_safety_checks": [_CHECK],
        "status": "completed",
    },
    {
        "type": "local_shell_call",
        "call_id": "call_5",
        "action": {
            "type": "exec",
            "command": ["ls", "-l"],
            "timeout_ms": 10,
            "working_directory": "/",
            "env": {"A": "b"},
            "user": None,
        },
        "status": "completed",
    },
    {"type": "local_shell_call_output", "call_id": "call_5", "output": "a\n", "status": "incomplete"},
    {
        "type": "shell_call",
        "call_id": "call_6",
        "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
        "environment": {"type": "local", "skills": [{"name": "s", "description": "d", "path": "/s"}]},
        "status": "completed",
    },
    {
        "type": "shell_call_output",
        "call_id": "call_6",
        "output": [
            {"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            {"stdout": "", "stderr": "b", "outcome": {"type": "timeout"}},
        ],
        "max_output_length": 100,
        "status": "completed",
    },
    *(
        {"type": "apply_patch_call", "call_id": "call_7", "status": "completed", "operation": operation}
        for operation in (
            {"type": "create_file", "path": "a", "diff": "+a"},
            {"type": "update_file", "path": "a", "diff": "-a\n+b"},
            {"type": "delete_file", "path": "a"},
        )
    ),
    {"type": "apply_patch_call_output", "call_id": "call_7", "status": "failed", "output": "no such file"},
    {
        "type": "mcp_list_tools",
        "server_label": "m",
        "tools": [{"name": "t", "description": None, "input_schema": {"type": "object"}, "annotations": {"a": 1}}],
        "error": None,
    },
    {"type": "mcp_approval_request", "server_label": "m", "name": "t", "arguments": "{}"},
    {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False, "reason": "no"},
    {
        "type": "mcp_call",
        "server_label": "m",
        "name": "t",
        "arguments": "{}",
        "approval_request_id": "mcpr_1",
        "output": "4",
        "error": None,
        "status": "calling",
    },
)
