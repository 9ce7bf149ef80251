class Drawer:
    async def fill_drawer(self, request: object, ctx: object) -> object:
        return request

    async def open_drawer(self, request: object, ctx: object) -> object:
        return request
