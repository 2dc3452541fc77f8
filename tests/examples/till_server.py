"""A Tin Till on a real socket: `python tests/examples/till_server.py PORT`."""

import sys
from typing import Any

from aiohttp import web

from hub.contract.sandbox.ledger import from_json, to_json

KEY = "till-key"


class Till:
    """Keeps tickets in memory and adds up their lines."""

    def __init__(self) -> None:
        self.tickets: dict[str, dict[str, Any]] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/tickets", self.list)
        app.router.add_post("/tickets", self.create)
        app.router.add_get("/tickets/{id}", self.show)
        app.router.add_put("/tickets/{id}/status", self.move)
        return app

    async def create(self, request: web.Request) -> web.Response:
        body = from_json(await request.read())
        ticket = {"id": f"T{len(self.tickets) + 1}", "status": "new", **body}
        ticket["total"] = sum(line["price"] * line["qty"] for line in body["lines"])
        self.tickets[ticket["id"]] = ticket
        return self.answer(request, ticket, 201)

    async def list(self, request: web.Request) -> web.Response:
        return self.answer(request, {"tickets": list(self.tickets.values())})

    async def show(self, request: web.Request) -> web.Response:
        return self.answer(request, self.tickets[request.match_info["id"]])

    async def move(self, request: web.Request) -> web.Response:
        ticket = self.tickets[request.match_info["id"]]
        ticket["status"] = from_json(await request.read())["status"]
        return self.answer(request, ticket)

    def answer(self, request: web.Request, body: Any, status: int = 200) -> web.Response:
        if request.headers.get("x-api-key") != KEY:
            return web.Response(body=to_json({"error": "wrong key"}), status=401, content_type="application/json")
        return web.Response(body=to_json(body), status=status, content_type="application/json")


if __name__ == "__main__":
    web.run_app(Till().app(), host="127.0.0.1", port=int(sys.argv[1]), print=None)
