"""What a vendor's sandbox may build on: the hooks around its calls, records that change, what it can forget."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import ClassVar

import httpx
import pytest
from aiohttp import web

from hub.contract.sandbox import Call, Sandbox, json_answer, serving
from hub.contract.sandbox.faults import Fault, Rule
from hub.contract.sandbox.ledger import Ledger

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Till(Sandbox):
    """A vendor with one call, which keeps a log."""

    clerk: ClassVar[Mapping[str, str]] = {}
    waiting_status: ClassVar[str] = "new"

    def __init__(self) -> None:
        super().__init__({})
        self.log: list[str] = []

    def calls(self) -> Iterable[Call]:
        yield Call("ring", "POST", "/ring", self._ring)

    async def _ring(self, _: web.Request) -> web.Response:
        self.log.append("working")
        return json_answer({}, 201)

    def refusal(self, rule: Rule, request: web.Request) -> web.Response:
        return json_answer({}, rule.status)

    def unknown_call(self, request: web.Request) -> web.Response:
        return json_answer({}, 404)

    async def arrived(self, request: web.Request, operation: str, fault: Fault | None) -> None:
        self.log.append(f"{operation} {fault}")

    def answered(self, request: web.Request, answer: web.StreamResponse | None) -> None:
        self.log.append(str(answer.status) if answer is not None else "nothing")


def rung(*rules: Rule, path: str = "/ring") -> list[str]:
    """The log after one call."""

    async def call() -> list[str]:
        till = Till()
        till.faults.replace(rules)
        async with serving(till.app()) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            try:
                await client.post(path)
            except httpx.TransportError:
                till.log.append("no answer")
            await client.get("/_sandbox/calls")
        till.close()
        return till.log

    return asyncio.run(call())


def test_a_vendor_that_keeps_a_log_hears_of_a_call_before_and_after_the_work() -> None:
    assert rung() == ["ring None", "working", "201"]
    assert rung(path="/nowhere") == ["unknown None", "404"]


def test_a_vendor_that_keeps_a_log_hears_of_the_fault_and_of_an_answer_that_was_not_given() -> None:
    assert rung(Rule(fault=Fault.STATUS, status=500)) == ["ring status", "500"]
    assert rung(Rule(fault=Fault.DROP_BEFORE)) == ["ring drop_before", "nothing", "no answer"]
    assert rung(Rule(fault=Fault.DROP_AFTER)) == ["ring drop_after", "working", "nothing", "no answer"]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    yield ledger
    ledger.close()


def test_a_record_is_replaced_together_with_its_status(ledger: Ledger) -> None:
    number = ledger.accept(scope="a", status="new", at=NOON, headers={}, body=b"{}", record={"total": 1})
    ledger.replace_record(number, {"total": 2}, status="done", at=datetime(2026, 3, 2, 13, 0, tzinfo=UTC))
    order = ledger.find_order(number)
    assert order is not None
    assert (order.record, order.status) == ({"total": 2}, "done")
    assert (order.received_at, order.changed_at) == (NOON, datetime(2026, 3, 2, 13, 0, tzinfo=UTC))


def test_documents_of_one_kind_are_forgotten_and_others_stay(ledger: Ledger) -> None:
    ledger.put_document("call", "1", {"at": "noon"})
    ledger.put_document("token", "1", {"holds": True})
    ledger.forget_documents("call")
    assert (ledger.load_documents("call"), ledger.load_documents("token")) == ([], [{"holds": True}])
