"""Rounds of uploads and deletes, each ended by kill -9 at a random moment.

crash_rounds.py FOLDER ROUNDS SEED COPIES

What a round has been answered stands in FOLDER/answered: `+id digest` a file that is kept, `?id` one that somebody is
deleting, `-id` one that is deleted. COPIES: "copies" for a file system where a nameless file cannot be given a name.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from parts.contracts.files.requests import DeleteFileRequest
from parts.providers.files import localfs
from parts.providers.files.keeping import KeptFiles
from parts.providers.storage.sql import sqlite as sqlite  # so that no round has to
from parts.testing.files.asking import caller, uploaded
from places import local


async def work(folder: Path, seed: int) -> None:
    answered = os.open(folder / "answered", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async with local(folder, sweep_interval_seconds=0.1) as files:
        await asyncio.gather(*(worker(files, answered, random.Random(seed * 10 + number)) for number in range(4)))


async def worker(files: KeptFiles, answered: int, dice: random.Random) -> None:
    mine: list[str] = []
    while True:
        if mine and dice.random() < 0.4:
            file_id = mine.pop(dice.randrange(len(mine)))
            os.write(answered, f"?{file_id}\n".encode())
            await files.delete_file(DeleteFileRequest(file_id=file_id), caller())
            os.write(answered, f"-{file_id}\n".encode())
        else:
            content = dice.randbytes(dice.choice((0, 10, 1000, 300_000)))
            file = await uploaded(files, content)
            os.write(answered, f"+{file.id} {hashlib.sha256(content).hexdigest()}\n".encode())
            mine.append(file.id)


def wait_for(lines: int, answered: Path) -> None:
    """Until so many more lines have been written, however busy the machine is."""
    before = answered.read_bytes().count(b"\n")
    until = time.monotonic() + 120
    while answered.read_bytes().count(b"\n") < before + lines:
        assert time.monotonic() < until, "it does nothing"
        time.sleep(0.002)


def main() -> None:
    folder, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if sys.argv[4] == "copies":
        localfs._name = lambda *file: False
    dice = random.Random(seed)
    (folder / "answered").touch()
    for number in range(rounds):
        child = os.fork()
        if child == 0:
            asyncio.run(work(folder, seed + number))
            os._exit(1)
        if number % 4:
            # Else while it starts, and takes over what the round before has left.
            wait_for(dice.randrange(1, 40), folder / "answered")
        time.sleep(dice.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "it is to be killed, and has ended by itself"


if __name__ == "__main__":
    main()
