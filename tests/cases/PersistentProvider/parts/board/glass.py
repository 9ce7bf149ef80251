class Glass:
    async def read_board(self, request: object, ctx: object) -> object:
        return request
