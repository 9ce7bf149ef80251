"""One answer that is being generated: what it is to be, and how far it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from .constraints import CLOSING, Guide
from .loading import Loaded, Tensors
from .sampling import NEVER, Sampler, Sampling
from .text import Detokenizer, Stops, Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One answer to generate. index: which of the request's. limit: its most tokens. ends: tokens that end it. hidden:
    tokens that are not shown. before: tokens after which its text reads on, none where it begins anew. likely:
    alternatives to tell the log probabilities of, None for no log probabilities at all.
    """

    index: int
    prompt: Sequence[int]
    limit: int
    sampling: Sampling
    ends: Sequence[int]
    hidden: Collection[int]
    before: Sequence[int] = ()
    stops: tuple[str, ...] = ()
    likely: int | None = None
    guide: Guide | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """More of an answer. text: what is new of it. tokens: log probabilities of what is shown by now, where asked for.
    generated: tokens so far, those that are not shown as well. finish: stop or length, with the last piece.
    """

    index: int
    text: str
    tokens: tuple[Token, ...]
    generated: int
    finish: str | None


class Row:
    """A job that waits or runs. say: hands on what there is to hear, from any thread. left: nobody listens any more."""

    def __init__(self, job: Job, say: Callable[[Piece | BaseException], None]) -> None:
        self.job = job
        self.say = say
        self.left = False
        self.generated = 0
        # Characters that are known of the text, and of these those given out.
        self._text = self._shown = 0
        self._cut = False
        self._tokens: deque[Token] = deque()

    def begin(self, loaded: Loaded) -> None:
        """Makes what its turn takes."""
        job = self.job
        self.sampler = Sampler(job.sampling, job.prompt, job.ends, loaded.device)
        self._detokenizer = Detokenizer(loaded.tokenizer, job.hidden, job.before)
        self._stops = Stops(job.stops)

    @property
    def plain(self) -> bool:
        """Whether the model's scores are taken as they are."""
        return self.sampler.plain and self.job.guide is None

    def process(self, scores: Tensors) -> Tensors:
        """The scores [1, vocabulary] with what the row alone asks for. Raises StackError."""
        scores = self.sampler.process(scores)
        guide = self.job.guide
        if guide is None:
            return scores
        allowed = guide.allowed()
        if self.generated >= self.job.limit - min(CLOSING, self.job.limit // 4):
            narrowed = guide.closing(allowed)
            self._cut = self._cut or narrowed is not allowed
            allowed = narrowed
        return scores.masked_fill(~allowed.to(scores.device)[None], NEVER)

    def see(self, token: int, vocabulary: int, about: Token | None) -> Piece:
        """What its new token makes of the answer. Raises StackError."""
        job = self.job
        self.generated += 1
        self.sampler.see(token, vocabulary)
        finish = None
        if token in job.ends or (job.guide is not None and not job.guide.consume(token)):
            # One that was brought to its end was not the model's to end.
            finish = "length" if self._cut else "stop"
        text = "" if token in job.ends else self._detokenizer.feed(token)
        if about is not None and token not in job.ends:
            self._tokens.append(replace(about, offset=self._text))
        self._text += len(text)
        if finish is None and self.generated >= job.limit:
            finish = "length"
        return self._piece(text, finish)

    def _piece(self, text: str, finish: str | None) -> Piece:
        if finish is not None:
            text += self._detokenizer.finish()
        out = self._stops.feed(text)
        if self._stops.met:
            finish = "stop"
        elif finish is not None:
            out += self._stops.finish()
        self._shown += len(out)
        return Piece(
            index=self.job.index,
            text=out,
            tokens=tuple(self._heard(finish)),
            generated=self.generated,
            finish=finish,
        )

    def _heard(self, finish: str | None) -> Sequence[Token]:
        """The log probabilities of the tokens whose text is given out."""
        heard = []
        every = finish is not None and not self._stops.met
        while self._tokens and (every or self._tokens[0].offset < self._shown):
            heard.append(self._tokens.popleft())
        return heard
