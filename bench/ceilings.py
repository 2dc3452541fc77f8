"""The bare servers the hub is compared with, each a complete ASGI app that does one part more than the one before.

raw      decode the order and answer, no framework
plain    the same in a normal Litestar handler; its rate is the unit "U"
sqlite   plain, and the order is stored durably in SQLite by group commit: "A_sq"
postgres plain, and the order is stored durably in PostgreSQL by group commit: "A_pg"
delivery sqlite, then the order goes to the vendor and its outcome is stored, all before the answer: "E"
"""

import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import uvicorn
from litestar import Litestar, post
from yarl import URL

from bench.group_commit import NewOrder, Outcome, PostgresStore, SqliteStore, Store, Writer
from bench.orders import Order, order_to_vendor

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class VendorOrder(msgspec.Struct):
    """The part of the vendor's order that is read."""

    id: int


class VendorAnswer(msgspec.Struct):
    """The vendor's answer to a new order."""

    data: VendorOrder


def raw_app(_: str, __: str) -> AsgiApp:
    """Answer without any framework: what uvicorn alone allows, and the test of the load generator."""
    decoder = msgspec.json.Decoder(Order)

    async def app(_: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event["body"], event.get("more_body", False)
        order = decoder.decode(body)
        answer = msgspec.json.encode({"id": "order_1", "status": "received", "items": len(order.items)})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def plain_app(_: str, __: str) -> AsgiApp:
    """Answer from a normal Litestar handler: the unit of all rates."""

    @post("/orders")
    async def create(data: Order) -> dict[str, Any]:
        return {"id": "order_1", "status": "received", "items": len(data.items)}

    return Litestar([create], logging_config=None)


def storing_app(store: Callable[[str], Store]) -> Callable[[str, str], AsgiApp]:
    """Store one row durably before the answer."""

    def build(database: str, _: str) -> AsgiApp:
        writers: list[Writer] = []
        numbers = itertools.count(1)

        @post("/orders")
        async def create(data: Order) -> dict[str, Any]:
            new = new_order(next(numbers), data)
            await writers[0].commit(new)
            return {"id": new.id, "status": new.status, "items": len(data.items)}

        @asynccontextmanager
        async def writer(_: Litestar) -> AsyncIterator[None]:
            writers.append(Writer(store(database)))
            yield
            writers.pop().stop()

        return Litestar([create], lifespan=[writer], logging_config=None)

    return build


def delivery_app(database: str, vendor_url: str) -> AsgiApp:
    """Store the order, send it to the vendor with aiohttp, store status and trace, then answer."""
    writers: list[Writer] = []
    clients: list[aiohttp.ClientSession] = []
    numbers = itertools.count(1)
    address = URL(vendor_url)
    encoder = msgspec.json.Encoder()
    decoder = msgspec.json.Decoder(VendorAnswer)

    @post("/orders")
    async def create(data: Order) -> dict[str, Any]:
        new = new_order(next(numbers), data)
        await writers[0].commit(new)
        request = encoder.encode(order_to_vendor(data, new.id))
        async with clients[0].post(address, data=request, headers={"idempotency-key": new.key}) as response:
            answer = await response.read()
        vendor_id = str(decoder.decode(answer).data.id)
        now = time.time_ns()
        await writers[0].commit(
            Outcome(new.id, "sent", vendor_id, request.decode(), answer.decode(), response.status, now)
        )
        return {"id": new.id, "status": "sent", "items": len(data.items)}

    @asynccontextmanager
    async def writer_and_client(_: Litestar) -> AsyncIterator[None]:
        writers.append(Writer(SqliteStore(database)))
        headers = {
            "content-type": "application/json",
            "x-token": "oauth_bench",
            "x-brand": "bench",
            "x-venue": "1",
        }
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=256), cookie_jar=aiohttp.DummyCookieJar(), headers=headers
        ) as client:
            clients.append(client)
            yield
        writers.pop().stop()

    return Litestar([create], lifespan=[writer_and_client], logging_config=None)


def new_order(number: int, order: Order) -> NewOrder:
    """Return the row of an order; ids grow with time, which keeps the index cheap."""
    now = time.time_ns()
    return NewOrder(
        f"order_{now:016x}{number:06x}",
        f"{now:016x}{number:06x}",
        "received",
        msgspec.json.encode(order).decode(),
        now,
    )


APPS: dict[str, Callable[[str, str], AsgiApp]] = {
    "raw": raw_app,
    "plain": plain_app,
    "sqlite": storing_app(SqliteStore),
    "postgres": storing_app(PostgresStore),
    "delivery": delivery_app,
}


def main(name: str, port: int, database: str, vendor_url: str) -> None:
    """Serve one of the apps with uvicorn on uvloop and httptools, one worker."""
    uvicorn.run(
        APPS[name](database, vendor_url),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="off" if name == "raw" else "on",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
