from collections.abc import Mapping


class ChatRouter:
    def __init__(self, *, table: object, talk: Mapping[str, object], listen: Mapping[str, object]) -> None:
        self.table = table

    async def talk(self, request: object, ctx: object) -> object:
        return request

    async def listen(self, request: object, ctx: object) -> object:
        return request
