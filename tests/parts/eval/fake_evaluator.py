"""A fake of NeMo Evaluator at the socket, in memory; its answers have the form that NVIDIA documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from upstreams import Seen, answers, refuses

RESULTS = {"tasks": {"qa": {"metrics": {"bleu": {"scores": {"sentence": {"value": 0.5}}}}}}, "groups": {}}


@dataclass
class FakeEvaluator:
    """Each look at a job takes it one step further. steps: what its status is, the last for good."""

    steps: Sequence[str] = ("created", "running", "completed")
    configs: dict[str, dict[str, object]] = field(default_factory=dict)
    jobs: dict[str, dict[str, object]] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        match seen.method, seen.path.removeprefix("/v1/").split("/"):
            case "POST", ["evaluation", "configs"]:
                key = f"{seen.json['namespace']}/{seen.json['name']}"
                if key in self.configs:
                    return await refuses(409, "it is there")(seen, writer)
                self.configs[key] = seen.json
                return await answers(seen.json)(seen, writer)
            case "PATCH", ["evaluation", "configs", space, name]:
                self.configs[f"{space}/{name}"] = seen.json
                return await answers(seen.json)(seen, writer)
            case "POST", ["evaluation", "jobs"]:
                job = f"eval-{len(self.jobs)}"
                self.jobs[job] = seen.json
                return await answers({"id": job, "status": "created"})(seen, writer)
            case "GET", ["evaluation", "jobs", job] if job in self.jobs:
                return await answers({"id": job, **self._looked_at(job)})(seen, writer)
            case "POST", ["evaluation", "jobs", job, "cancel"] if job in self.jobs:
                self.steps = ("cancelled",)
                return await answers({"id": job, "status": "cancelling"})(seen, writer)
            case "GET", ["evaluation", "jobs", job, "results"] if job in self.jobs:
                return await answers(RESULTS)(seen, writer)
        return await refuses(404)(seen, writer)

    def _looked_at(self, job: str) -> dict[str, object]:
        look = self.looks.get(job, 0)
        self.looks[job] = look + 1
        status = self.steps[min(look, len(self.steps) - 1)]
        return {"status": status, "status_details": {"message": f"the job is {status}"}}
