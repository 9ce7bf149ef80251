"""What the model's thread does: rows come, are read, take a step together, and go."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch

from ....runtime.errors import StackError
from ..refusals import failed, is_out_of_memory, not_finite
from .batch import Start, open_batch
from .constraints import Guides
from .loading import Loaded, Tensors
from .rows import Piece, Row
from .sampling import choose
from .text import Token

log = logging.getLogger(__name__)

Said: TypeAlias = tuple[Row, Piece | BaseException]

READ_AT_ONCE = 512
"""Tokens of prompts that are read between two steps: how long those that run are held up by those that begin."""


class Worker:
    """The rows that run or begin. hear: gets what each turn has to say, and how many rows have ended with it.
    generated: tokens so far.
    """

    def __init__(self, loaded: Loaded, hear: Callable[[list[Said], int], None], guides: Guides) -> None:
        self.generated = 0
        self._loaded = loaded
        self._hear = hear
        self._guides = guides
        self._running = open_batch(loaded)
        self._rows: list[Row] = []
        self._tokens: Tensors = None
        self._starting: deque[tuple[Start, list[Row]]] = deque()
        self._said: list[Said] = []
        self._ended = 0

    @property
    def idle(self) -> bool:
        return not self._rows and not self._starting

    def welcome(self, row: Row) -> None:
        """Puts a row among those that begin, with its like where the model can read a prompt for several."""
        try:
            row.begin(self._loaded)
        except Exception as error:  # whatever torch raises
            log.debug("as a row begins", exc_info=True)
            self._lose([row], error)
            self._report()
            return
        last = self._starting[-1] if self._starting and self._running.shares else None
        if last is not None and last[0].prompt is row.job.prompt and not last[0].done:
            last[1].append(row)
        else:
            self._starting.append((Start(row.job.prompt), [row]))

    def turn(self) -> None:
        """Reads of what begins, then a step of what runs."""
        self._let_go()
        self._read()
        if self._rows:
            self._step()
        self._report()

    def fail(self, error: BaseException) -> None:
        """Ends everything."""
        self._lose([*self._rows, *(row for _, rows in self._starting for row in rows)], error)
        self._rows, self._tokens = [], None
        self._running.keep([])
        self._starting.clear()
        self._report()

    # ── coming and going ────────────────────────────────────────────────────────────────────────────────────────────

    def _let_go(self) -> None:
        for start, rows in list(self._starting):
            here = [row for row in rows if not row.left]
            self._ended += len(rows) - len(here)
            rows[:] = here
            if not here:
                self._starting.remove((start, rows))
        stay = [place for place, row in enumerate(self._rows) if not row.left]
        self._ended += len(self._rows) - len(stay)
        self._keep(stay)

    def _keep(self, places: list[int]) -> None:
        """Goes on with these of the running rows."""
        if len(places) == len(self._rows):
            return
        self._rows = [self._rows[place] for place in places]
        try:
            self._running.keep(places)
            self._tokens = self._tokens[places] if places else None
        except Exception as error:  # whatever torch raises
            log.debug("in the batch", exc_info=True)
            self._lose_running(error)

    def _read(self) -> None:
        most = READ_AT_ONCE
        while self._starting and most > 0:
            start, rows = self._starting[0]
            before = start.done
            try:
                logits = self._running.read(start, most if self._rows else len(start.prompt))
                most -= start.done - before
                if logits is not None:
                    self._starting.popleft()
                    self._begin(start, rows, logits)
            except Exception as error:  # whatever torch raises
                log.debug("as a prompt is read", exc_info=True)
                if self._starting and self._starting[0][0] is start:
                    self._starting.popleft()
                self._lose([row for row in rows if row not in self._rows], error)

    def _begin(self, start: Start, rows: list[Row], logits: Tensors) -> None:
        """The first tokens of rows that have been read; those that go on join the others."""
        tokens, stay = self._choose(rows, logits.expand(len(rows), -1))
        rows[:] = [rows[place] for place in stay]
        if rows:
            new = torch.cat([self._tokens, tokens[stay]]) if self._rows else tokens[stay]
            self._running.join(start, len(rows))
            self._tokens = new
            self._rows.extend(rows)

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self) -> None:
        try:
            logits = self._running.step(self._tokens)
            self._tokens, stay = self._choose(self._rows, logits)
        except Exception as error:  # whatever torch raises
            log.debug("in the batch", exc_info=True)
            self._lose_running(error)
            return
        self._keep(stay)

    def _choose(self, rows: list[Row], logits: Tensors) -> tuple[Tensors, list[int]]:
        """Each row's next token [rows], said; and the places of the rows that go on."""
        raw = scores = logits.to(torch.float32)
        unfit: dict[int, StackError] = {}
        if not all(row.plain for row in rows):
            scores, unfit = self._processed(rows, raw)
        # What is no number wins every comparison, and none can be drawn beside it.
        sound = torch.isfinite(raw.amax(dim=-1)).tolist()
        if not all(sound):
            scores = scores.clone()
            for place in (place for place, fine in enumerate(sound) if not fine):
                unfit[place], scores[place] = not_finite(), 0.0
        tokens = choose(scores, [row.sampler for row in rows])
        numbers = tokens.tolist()
        about = self._about(rows, raw, tokens, numbers)
        stay = []
        for place, row in enumerate(rows):
            try:
                if place in unfit:
                    raise unfit[place]
                piece = row.see(numbers[place], raw.shape[-1], about.get(place))
            except Exception as error:  # one row's own trouble
                log.debug("with a row's token", exc_info=True)
                self._lose([row], error)
                continue
            self.generated += 1
            self._said.append((row, piece))
            if piece.finish is None:
                stay.append(place)
            else:
                self._ended += 1
        return tokens, stay

    def _processed(self, rows: list[Row], raw: Tensors) -> tuple[Tensors, dict[int, StackError]]:
        """The scores with what each row asks for by itself, and the rows for which that failed."""
        scores = raw.clone()
        unfit: dict[int, StackError] = {}
        for place, row in enumerate(rows):
            if not row.plain:
                try:
                    scores[place] = row.process(raw[place : place + 1])[0]
                except StackError as error:
                    unfit[place] = error
        return scores, unfit

    def _about(self, rows: list[Row], raw: Tensors, tokens: Tensors, numbers: list[int]) -> dict[int, Token]:
        """The log probabilities of the new tokens of rows that ask for them: the model's own, before any sampling."""
        places = [place for place, row in enumerate(rows) if row.job.likely is not None]
        if not places:
            return {}
        logs = torch.log_softmax(raw[places], dim=-1)
        chosen = logs.gather(1, tokens[places][:, None])[:, 0].tolist()
        most = max(rows[place].job.likely or 0 for place in places)
        top = logs.topk(most, dim=-1)
        values, ids = top.values.tolist(), top.indices.tolist()
        found = {}
        for row, place in enumerate(places):
            count = rows[place].job.likely or 0
            likely = zip(ids[row][:count], values[row][:count], strict=True)
            text, raw_bytes = self._reads(numbers[place])
            found[place] = Token(
                id=numbers[place],
                text=text,
                raw=raw_bytes,
                logprob=chosen[row],
                likely=tuple((*self._reads(token), value) for token, value in likely),
            )
        return found

    def _reads(self, token: int) -> tuple[str, bytes]:
        raw = self._guides.raw(token)
        return raw.decode("utf-8", "replace"), raw

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _lose_running(self, error: BaseException) -> None:
        """Ends every row of the batch: a step that broke off leaves some layers a token ahead of others."""
        self._lose(self._rows, error)
        self._rows, self._tokens = [], None
        self._running.keep([])

    def _lose(self, rows: Sequence[Row], error: BaseException) -> None:
        if is_out_of_memory(error):
            log.warning("%d requests end for want of memory", len(rows))
            if self._loaded.device.type == "cuda":
                torch.cuda.empty_cache()
        elif not isinstance(error, StackError):
            log.error("%d requests end with a fault", len(rows), exc_info=error)
        self._said.extend((row, failed(error)) for row in rows)
        self._ended += len(rows)

    def _report(self) -> None:
        if self._said or self._ended:
            self._hear(self._said, self._ended)
            self._said, self._ended = [], 0
