"""Resources that are registered while the server runs: kept in a key-value store, read from memory.

    registry = Registry(kv, noun="model", declared={"fast"}, changed=table.follow)
    async with following(registry):
        registry.entries["x"]                                               # no query, whatever the request
        await registry.register("x", {"provider_id": "a"}, ctx)             # durable when it returns
        await registry.unregister("x", ctx)

It knows nothing of what it keeps: a resource is an id, fields (JSON) and who owns it. Each kind has a namespace of its
own, so that one that changes often has nobody else read theirs anew.

What the distribution declares is never written to the store: every process reads it in its own file, so that replicas
with an old and a new file do not undo each other's work, and what the file has no longer is gone with its next start.
Where both have an id, the file's resource is served and the other kept, to be there again once the file lets go of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from types import MappingProxyType

from .context import Context
from .errors import BadRequest, Conflict, NotFound, StackError, Unavailable
from .kv import Kv
from .kv_watch import changes
from .owner import owner_of
from .registry_records import Fields, Registered, decoded, differences, encoded
from .resource_ids import check_id

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""Between two looks at the store: what another process writes is to be seen within a second."""

PAGE = 1000
TRIES = 5
FIRST_READ_SECONDS = 10.0
"""How long a start waits for a store that does not answer."""


class Registry:
    """The registered resources of one kind, as they were at most a second ago, and at once what this process changed.

    noun: what one is called, also in codes (`model_not_found`). declared: ids of the distribution, which nobody
    registers. changed: told which ids are new, other ones or gone, once `entries` says so. loaded: whether the store
    has been read at all.
    """

    def __init__(
        self, kv: Kv, *, noun: str, declared: Collection[str], changed: Callable[[Collection[str]], None]
    ) -> None:
        self._kv = kv
        self._noun = noun
        self._declared = frozenset(declared)
        self._changed = changed
        self._raw: dict[str, bytes] = {}
        self._entries: dict[str, Registered] = {}
        self._meanwhile: dict[str, bytes | None] = {}
        self.loaded = False

    @property
    def entries(self) -> Mapping[str, Registered]:
        return MappingProxyType(self._entries)

    def check_loaded(self) -> None:
        """Raises Unavailable where the store has not been read yet: what is not in memory may be there all the same."""
        if not self.loaded:
            message = f"the store of registered {self._noun}s has not been reached since this server started"
            raise Unavailable(message, code="storage_unavailable", retry_after=5)

    async def ask(self) -> int:
        """The store's revision. Raises Unavailable where it cannot be reached."""
        return await self._kv.revision()

    async def refresh(self) -> int:
        """Reads the store, one call at a time; the revision that it has all of."""
        revision = await self._kv.revision()
        self._meanwhile = {}
        found: dict[str, bytes] = {}
        after = ""
        while page := await self._kv.scan(after=after, limit=PAGE):
            found.update(page)
            if len(page) < PAGE:
                break
            after = page[-1][0]
        # What this process has written since may have been passed already.
        for key, value in self._meanwhile.items():
            found.pop(key, None)
            if value is not None:
                found[key] = value
        self.loaded = True
        if found != self._raw:
            others = {key for key, value in found.items() if self._raw.get(key) != value}
            self._take({key: found.get(key) for key in others | (self._raw.keys() - found.keys())})
        return revision

    async def follow(self, since: int | None) -> None:
        """Reads the store whenever somebody has written to it, until cancelled. since: as `refresh` gave it."""
        async with aclosing(changes(self._kv, seconds=POLL_SECONDS, since=since)) as news:
            async for _ in news:
                while not await self._has_read():
                    await asyncio.sleep(POLL_SECONDS)

    async def _has_read(self) -> bool:
        try:
            await self.refresh()
        except Unavailable:
            log.debug("registered %ss could not be read", self._noun, exc_info=True)  # the store has told of it
        except Exception:  # a bug here must not end the following, nor pass unseen
            log.exception("reading the registered %ss failed", self._noun)
        else:
            return True
        return False

    async def register(
        self, identity: str, fields: Fields, ctx: Context, *, said: Collection[str] | None = None
    ) -> Registered:
        """Keeps a resource; once this returns, it is durable.

        The same again changes nothing. said: the fields that the request itself named, None for all; a resource that is
        there already is the same where those are. Raises BadRequest for what is no id, Conflict where the id is the
        distribution's or that of another resource, Unavailable where the store cannot be reached.
        """
        check_id(identity, f"{self._noun}_id")
        self._refuse_declared(identity)
        entry = Registered(id=identity, fields=fields, owner=owner_of(ctx), created=int(time.time()))
        for _ in range(TRIES):
            if await self._kv.add(identity, raw := encoded(entry)):
                self._wrote(identity, raw)
                return entry
            kept = await self._kv.get(identity)
            if kept is not None:
                self._wrote(identity, kept)
                return self._same(entry, decoded(identity, kept), fields.keys() if said is None else said, ctx)
        raise self._unsettled(identity)

    async def unregister(self, identity: str, ctx: Context) -> Registered:
        """Forgets a resource, durably; what it was.

        Raises NotFound where there is none that the caller may see, Conflict where it is the distribution's.
        """
        self._refuse_declared(identity)
        for _ in range(TRIES):
            try:
                kept = await self._kv.get(identity)
            except BadRequest:  # what cannot be a key has not been registered either
                kept = None
            entry = None if kept is None else decoded(identity, kept)
            if kept is None:
                self._wrote(identity, None)
            if kept is None or entry is None or not entry.owner.seen_by(ctx):
                message = f"no {self._noun} {identity[:200]!r} is registered here"
                raise NotFound(message, code=f"{self._noun}_not_found", param=f"{self._noun}_id")
            if await self._kv.delete(identity, was=kept):
                self._wrote(identity, None)
                return entry
        raise self._unsettled(identity)

    def _same(self, new: Registered, old: Registered | None, said: Collection[str], ctx: Context) -> Registered:
        """What is there already, where it is what was asked for."""
        param = f"{self._noun}_id"
        taken = f"{self._noun} {new.id!r} is registered already"
        if old is None:
            raise Conflict(f"{taken}, in a form of a newer server", code=f"{self._noun}_exists", param=param)
        if not old.owner.seen_by(ctx):
            raise Conflict(f"{taken}, by somebody else", code=f"{self._noun}_exists", param=param)
        if differing := differences(old.fields, new.fields, said):
            told = "; ".join(f"{name} is {what}" for name, what in differing.items())
            message = f"{taken}, otherwise: {told}. Unregister it first, or take another id"
            raise Conflict(message, code=f"{self._noun}_exists", param=next(iter(differing)))
        return old

    def _refuse_declared(self, identity: str) -> None:
        if identity in self._declared:
            message = f"{self._noun} {identity!r} is declared by the distribution, and changes with its file only"
            raise Conflict(message, code=f"{self._noun}_declared", param=f"{self._noun}_id")

    def _unsettled(self, identity: str) -> Conflict:
        message = f"{self._noun} {identity!r} is being registered and unregistered by others; try again"
        return Conflict(message, code=f"{self._noun}_exists", param=f"{self._noun}_id")

    def _wrote(self, key: str, value: bytes | None) -> None:
        """Memory follows what this process has written, or found, before any watch does."""
        self._meanwhile[key] = value
        if self._raw.get(key) != value:
            self._take({key: value})

    def _take(self, values: Mapping[str, bytes | None]) -> None:
        """Memory has these values from here on; None for what is gone."""
        hidden = []
        for key, value in values.items():
            entry = None if value is None else decoded(key, value)
            if value is None:
                self._raw.pop(key, None)
            else:
                self._raw[key] = value
                if entry is None:
                    log.warning("the store holds %s %r in a form that this server does not know", self._noun, key)
            if entry is not None and key in self._declared:
                hidden.append(key)
            elif entry is not None:
                self._entries[key] = entry
            else:
                self._entries.pop(key, None)
        if hidden:
            names = ", ".join(repr(key) for key in sorted(hidden)[:10])
            log.warning("registered, and served as the distribution declares them: %ss %s", self._noun, names)
        self._changed(values.keys())


@asynccontextmanager
async def following(registry: Registry) -> AsyncIterator[None]:
    """Has a registry follow its store, which need not be there yet."""
    since = None
    try:
        async with asyncio.timeout(FIRST_READ_SECONDS):
            since = await registry.refresh()
    except StackError as error:
        log.warning("what is registered is not known yet: %s", error.message)
    except TimeoutError:
        log.warning("what is registered is not known yet: the store has not answered in %g s", FIRST_READ_SECONDS)
    task = asyncio.create_task(registry.follow(since))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
