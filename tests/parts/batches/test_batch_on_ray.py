"""Lines that something else than this process runs: the seam, with a driver that stands in for Ray's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from batch_stand_ins import CHAT, FolderFiles, Upstream, asks, caller, chat_line, put, until
from parts.contracts.batches.requests import CancelBatchRequest
from parts.providers.batches.jobs import running, worker
from parts.providers.batches.jobs.opening import Pace, open_jobs
from parts.providers.batches.jobs.service import BatchesService
from parts.providers.batches.on_ray.cluster import Cluster
from parts.providers.batches.on_ray.driver import SILENT, Order, Reply, Said
from parts.providers.batches.on_ray.process import DriverEnded
from parts.providers.batches.ray import RayConfig, open_ray
from parts.runtime.errors import SettingsError
from parts.runtime.sql import Sql


def echo(question: str) -> Said:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"you asked {question}"}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    # With line breaks, as some services have them.
    return 200, {}, json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}, indent=1).encode()


@dataclass
class StandIn:
    """Drivers that answer at once. says: of a question; None: the task of it is never done. first: replies of each new
    driver. orders: all that any of them got.
    """

    says: Callable[[str], Said | None] = echo
    first: list[Reply] = field(default_factory=list)
    fails: Callable[[int], str | None] = lambda number: None
    orders: list[Order] = field(default_factory=list)
    started: int = 0
    closed: int = 0

    async def start(self) -> StandInDriver:
        self.started += 1
        driver = StandInDriver(self)
        driver.replies.put_nowait(self.first.pop(0) if self.first else (0, [], ""))
        return driver

    @property
    def tasks(self) -> list[list[str]]:
        """The questions of each task."""
        return [[question_of(body) for _, body in lines] for _, _, lines in self.orders if lines]

    @property
    def stopped(self) -> list[int]:
        return [number for number, _, lines in self.orders if not lines]


class StandInDriver:
    def __init__(self, plan: StandIn) -> None:
        self.plan = plan
        self.replies: asyncio.Queue[Reply | None] = asyncio.Queue()

    def order(self, order: Order) -> None:
        self.plan.orders.append(order)
        number, _, lines = order
        if (why := self.plan.fails(number)) is not None:
            self.replies.put_nowait((number, None, why))
            return
        said = [self.plan.says(question_of(body)) for _, body in lines]
        answers = [each for each in said if each is not None]
        if lines and len(answers) == len(lines):
            self.replies.put_nowait((number, answers, ""))

    async def reply(self) -> Reply:
        reply = await self.replies.get()
        if reply is None:
            raise DriverEnded("it was closed")
        return reply

    async def close(self) -> None:
        self.plan.closed += 1
        self.replies.put_nowait(None)


def question_of(body: bytes) -> str:
    return str(json.loads(body)["messages"][0]["content"])


@asynccontextmanager
async def on_ray(
    sql: Sql, files: FolderFiles, models: Upstream, plan: StandIn, *, tasks: int = 2, lines: int = 3
) -> AsyncIterator[BatchesService]:
    cluster = Cluster(plan.start, host="models.test", tasks=tasks, lines_per_task=lines, connect_seconds=5)
    pace = Pace(batches=1, lines=tasks * lines, lease_seconds=5, poll_seconds=0.05, tries=3)
    async with (
        cluster.at_work(),
        open_jobs(pace, lambda _: cluster.answer, store=sql, inference=models, files=files, models=models) as batches,
    ):
        yield batches


async def test_lines_go_to_tasks_a_few_at_a_time_and_come_back_in_order(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    plan = StandIn(lambda q: (400, {}, b'{"error": {"message": "not that", "code": "bad"}}') if q == "q4" else echo(q))
    async with on_ray(sql, files, upstream, plan) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(20)])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 19, 1)
    found = files.content(done.output_file_id)
    assert [line["custom_id"] for line in found] == [f"q{n}" for n in range(20) if n != 4]
    assert found[0]["response"]["body"]["choices"][0]["message"]["content"] == "you asked q0"
    (error,) = files.content(done.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("q4", 400)
    assert error["response"]["body"]["error"]["code"] == "bad"
    assert (done.usage.input_tokens, done.usage.output_tokens) == (57, 38)
    assert sorted(question for task in plan.tasks for question in task) == sorted(f"q{n}" for n in range(20))
    assert max(map(len, plan.tasks)) == 3
    assert {path for _, path, _ in plan.orders} == {CHAT}
    assert (upstream.asked(), plan.started, plan.closed >= 1) == ({}, 1, True)


async def test_busy_servers_are_asked_again(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float | None] = []
    monkeypatch.setattr(running, "_pause", lambda tried, asked: pauses.append(asked) or 0.0)
    busy = b'{"error": {"message": "later"}}'
    times = iter([(429, {"Retry-After": "7"}, busy), (503, {}, busy), echo("q")])
    plan = StandIn(lambda question: next(times))
    async with on_ray(sql, files, upstream, plan) as batches:
        file = await put(files, [chat_line("q")])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.request_counts.completed, pauses) == (1, [7, None])


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [
        ((0, {}, SILENT), 504, "models.test did not answer in time"),
        ((0, {}, b"cannot be asked: refused"), 502, "models.test cannot be asked: refused"),
        ((200, {}, b"<html>"), 502, "models.test answered what is no JSON object"),
    ],
)
async def test_what_is_no_answer_is_an_error_of_that_line(
    sql: Sql, files: FolderFiles, upstream: Upstream, said: Said, status: int, message: str
) -> None:
    async with on_ray(sql, files, upstream, StandIn(lambda question: said)) as batches:
        file = await put(files, [chat_line("q")])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    (line,) = files.content(done.error_file_id)
    assert (line["response"]["status_code"], line["response"]["body"]["error"]["message"]) == (status, message)


@pytest.mark.parametrize("how", ["no cluster", "lost"])
async def test_without_its_cluster_a_batch_waits_and_no_line_fails(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(worker, "_LATER_SECONDS", 0.05)
    plan = StandIn(first=[(0, None, "nobody listens there")] if how == "no cluster" else [])
    if how == "lost":
        plan.fails = lambda number: "NodeDiedError" if number == 2 else None
    async with on_ray(sql, files, upstream, plan) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(12)])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 12, 0)
    assert [line["custom_id"] for line in files.content(done.output_file_id)] == [f"q{n}" for n in range(12)]
    assert plan.started == 2


async def test_cancelling_a_batch_stops_its_tasks(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    plan = StandIn(lambda question: None)
    async with on_ray(sql, files, upstream, plan) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(20)])
        made = await batches.create_batch(asks(file), caller())
        async with asyncio.timeout(10):
            while len(plan.tasks) < 2:
                await asyncio.sleep(0.01)
        await batches.cancel_batch(CancelBatchRequest(batch_id=made.id), caller())
        done = await until(batches, made.id)
        assert (done.status, sorted(plan.stopped)) == ("cancelled", [1, 2])
        # Their places are free again.
        plan.says = echo
        next_one = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert next_one.request_counts.completed == 20


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("balancer:8321", "expected a URL"),
        ("http://u:secret@balancer", "no credential"),
        ("http://balancer/v1/", "leave /v1 off"),
    ],
)
async def test_a_wrong_inference_url_ends_the_start(
    sql: Sql, files: FolderFiles, upstream: Upstream, url: str, why: str
) -> None:
    with pytest.raises(SettingsError, match=why) as raised:
        async with open_ray(RayConfig(inference_url=url), store=sql, inference=upstream, files=files, models=upstream):
            pass
    assert "secret" not in str(raised.value)
