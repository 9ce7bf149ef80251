"""A fake of NeMo Customizer at the socket, in memory; its answers have the form that NVIDIA documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from upstreams import Seen, answers, refuses

AT = "2025-04-04T15:24:29.220140"


@dataclass
class FakeCustomizer:
    """Each look at a status takes its job one step further. steps: what it is, the last for good. page: jobs of one."""

    steps: Sequence[str] = ("created", "running", "completed")
    page: int = 100
    jobs: dict[str, dict[str, object]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        path, _, query = seen.path.removeprefix("/v1/customization/").partition("?")
        match seen.method, path.split("/"):
            case "POST", ["jobs"]:
                id = f"cust-{len(self.jobs)}"
                self.jobs[id] = seen.json
                return await answers({"id": id, "created_at": AT, "status": "created"})(seen, writer)
            case "GET", ["jobs"]:
                wanted = dict(each.split("=") for each in query.split("&"))
                start = (int(wanted["page"]) - 1) * self.page
                found = [{"id": id} for id in [*reversed(self.jobs)][start : start + self.page]]
                pages = -(-len(self.jobs) // self.page)
                return await answers({"data": found, "pagination": {"total_pages": pages}})(seen, writer)
            case "GET", ["jobs", id, "status"] if id in self.jobs:
                look = self.looks.get(id, 0)
                self.looks[id] = look + 1
                status = {"status": self._status(look), "created_at": AT, "updated_at": AT, "percentage_done": 50.0}
                status |= {"status_logs": [{"message": "failed", "detail": "no GPU is free"}]}
                return await answers(status)(seen, writer)
            case "GET", ["jobs", id] if id in self.jobs:
                job = {"id": id, "updated_at": AT, "status": self._status(self.looks.get(id, 1) - 1), **self.jobs[id]}
                return await answers(job)(seen, writer)
            case "POST", ["jobs", id, "cancel"] if id in self.jobs:
                self.steps = ("cancelled",)
                return await answers({"id": id, "status": "cancelling"})(seen, writer)
        return await refuses(404)(seen, writer)

    def _status(self, look: int) -> str:
        return self.steps[min(look, len(self.steps) - 1)]
