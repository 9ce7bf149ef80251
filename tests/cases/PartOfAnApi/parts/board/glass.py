class Glass:
    def __init__(self, *, store: object) -> None:
        self.store = store

    async def read_board(self, request: object, ctx: object) -> object:
        return request
