"""Seats guests: opens their orders at the POS, once or many times over."""

import asyncio
from collections.abc import Mapping
from typing import Any

from connectors.mozrest.sandbox.orders import Orders, Status
from connectors.mozrest.sandbox.pos import Pos, PosAnswer
from connectors.mozrest.sandbox.seed import Settings, Venue
from hub.contract.sandbox.ledger import Ledger, LedgerOrder

IDS = ("id", "checkNumber")


class Guests:
    """Plays the reservation system at the moment a guest sits down."""

    def __init__(self, ledger: Ledger, orders: Orders, pos: Pos) -> None:
        self._ledger = ledger
        self._orders = orders
        self._pos = pos

    async def seat(
        self, venue: Venue, settings: Settings, wish: Mapping[str, Any], reservation: str | None, times: int
    ) -> dict[str, Any]:
        """Opens an order with the body `wish`; one without an `id` gets one, and `"id": null` sends none."""
        order_id = wish.get("id") or self._orders.new_id()
        request = {name: value for name, value in {**wish, "id": order_id}.items() if value is not None}
        if "id" in wish and wish["id"] is None:
            del request["id"]
        with self._ledger.unit():  # before the call, so that a crash in the middle leaves a guest to seat again
            order = self._orders.seat(venue, order_id, request, reservation)
        return await self._send(venue, settings, order, request, times)

    async def seat_again(
        self, venue: Venue, settings: Settings, order: LedgerOrder, changes: Mapping[str, Any], times: int
    ) -> dict[str, Any]:
        """Sends the request of an order again, the same id in it, with these fields in place of its own."""
        return await self._send(venue, settings, order, {**order.record["request"], **changes}, times)

    async def _send(
        self, venue: Venue, settings: Settings, order: LedgerOrder, request: Mapping[str, Any], times: int
    ) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            answer = await self._pos.call(venue, "seat", settings.paths.orders, body=request)
            problems = [*answer.problems(), *(_problems(answer.body) if answer.ok else ())]
            linked = answer.body if answer.ok and not _problems(answer.body) else None
            with self._ledger.unit():
                self._orders.seated(order.number, request, linked, _status_after(answer))
            return {**answer.shown(), "problems": problems}

        answers = await asyncio.gather(*(once() for _ in range(times)))
        kept = self._orders.find(venue, order.record["id"])
        said = [answer["body"] for answer in answers if isinstance(answer["body"], dict)]
        return {
            "id": order.record["id"],
            "status": kept.status if kept else None,
            "posOrderId": kept.record.get("posOrderId") if kept else None,
            "checkNumber": kept.record.get("checkNumber") if kept else None,
            "distinct": {name: sorted({str(body[name]) for body in said if name in body}) for name in IDS},
            "answers": answers,
        }


def _problems(body: Any) -> list[str]:
    if not isinstance(body, dict):
        return ["the answer is no JSON object"]
    return [f"{name} is no text, or blank" for name in IDS if not isinstance(body.get(name), str) or not body[name]]


def _status_after(answer: PosAnswer) -> Status:
    """How an order stands that has no answer to link: a clear no, or nobody knows."""
    clear = answer.status is not None and 400 <= answer.status < 500
    return Status.REFUSED if clear else Status.UNKNOWN
