from collections.abc import Mapping


class TimedRouter:
    def __init__(
        self, *, table: object, talk: Mapping[str, object], listen: Mapping[str, object], clock: object | None
    ) -> None:
        self.clock = clock

    async def talk(self, request: object, ctx: object) -> object:
        return request

    async def listen(self, request: object, ctx: object) -> object:
        return request
