"""Sends an operation what its own document allows, and what it does not, and judges the answers by the document."""

import asyncio
import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api.operation import Operation
from hub.api.parameters import IN_PATH
from hub.api.rest import PREFIX
from hub.api.views import timestamp
from tests.api.house import House
from tests.api.served import Served
from tests.database.stored import OTHER_VENUE, PLOV, VENUE

ALWAYS = (
    not_a_server_error,
    status_code_conformance,
    response_schema_conformance,
    content_type_conformance,
    response_headers_conformance,
)
STORES = (VENUE.slug, VENUE.id, OTHER_VENUE.slug, "kiosk")
FIELDS: Mapping[str, Sequence[Any]] = {
    "itemId": (PLOV.id,),
    "modifiers": ([],),
    "storeSlug": (VENUE.slug, "kiosk"),
    "locationId": ("",),
    "orderType": ("pickup", "delivery", "dine_in"),
    "quoteId": ("",),
    "segment": ("new",),
    "customerId": ("",),
    "url": ("https://127.0.0.1:9/hook",),
}
KEYS = (*("sk_full",) * 8, "sk_read", "sk_other", "sk_none", "")


class Fuzz:
    """One served house and its document."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self.document: dict[str, Any] = httpx.get(f"{served.address}{PREFIX}/openapi.json").json()

    def run(self, operation: Operation, *, known: int, unknown: int, repeatable: bool) -> Counter[int]:
        """Sends `known` requests about things that are there, `unknown` about anything, and as many that the
        document forbids; gives how many were answered with which status. Raises what the document does not say.
        """
        answered: Counter[int] = Counter()
        known_things = self._served.run(_make_some)
        familiar = with_known(self.document, known_things)
        reaching = with_known(self.document, known_things, in_path_only=True)
        for document, mode, count in (
            (familiar, GenerationMode.POSITIVE, known),
            (self.document, GenerationMode.POSITIVE, unknown),
            (reaching, GenerationMode.NEGATIVE, unknown),
        ):
            if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
                continue
            self._send(operation, document, mode, count, repeatable, answered)
        return answered

    def _send(
        self,
        operation: Operation,
        document: Mapping[str, Any],
        mode: GenerationMode,
        count: int,
        repeatable: bool,
        answered: Counter[int],
    ) -> None:
        schema = openapi.from_dict(dict(document))
        schema.config.update(base_url=self._served.address + PREFIX)
        chosen = schema[IN_PATH.sub(r"{\1}", operation.path)][operation.method]
        checks = (*ALWAYS, negative_data_rejection) if mode is GenerationMode.NEGATIVE else ALWAYS

        @settings(
            max_examples=count,
            derandomize=repeatable,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=chosen.as_strategy(generation_mode=mode), key=st.sampled_from(KEYS))
        def send(case: Any, key: str) -> None:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = case.call(headers=headers)
            answered[answer.status_code] += 1
            case.validate_response(
                answer,
                checks=checks if answer.status_code < 400 and _is_plain(case, operation) else ALWAYS,
                headers=headers,
            )

        send()


async def _make_some(house: House) -> Mapping[str, Sequence[Any]]:
    """Things of every kind, and how parameters name them."""
    await _sell_again(house)
    orders = [(await house.order())["id"] for _ in range(2)]
    soon, later = (timestamp(house.hub.now_ms() + days * 86_400_000) for days in (30, 31))
    booked = {"storeSlug": VENUE.slug, "partySize": 2, "customer": {"name": "Alice", "phone": "+994 50 123 45 67"}}
    asked = {
        "reservation": ("/reservations", booked | {"startsAt": soon, "allowOverlap": True}),
        "entry": ("/waitlist", booked),
        "campaign": ("/campaigns", {"storeSlug": VENUE.slug, "name": "Spring", "segment": "new"}),
    }
    for webhook in (await house.get("/webhooks")).json()["webhooks"]:
        await house.ask("DELETE", f"/webhooks/{webhook['id']}")
    asked["webhook"] = ("/webhooks", {"url": "https://127.0.0.1:9/hook"})
    made: dict[str, Sequence[Any]] = {}
    for name, (path, body) in asked.items():
        answer = await house.post(path, body)
        assert answer.status_code == 201, answer.text
        view = next(iter(answer.json().values()))
        made[name] = [view["id"]]
        if view.get("customerId"):
            made["customer"] = [view["customerId"]]
    return made | {
        "store": STORES,
        "order": [*orders, "DT-001"],
        "item": [PLOV.id],
        "storeSlug": [VENUE.slug, OTHER_VENUE.slug],
        "locationId": [VENUE.id],
        "segment": ["new"],
        "soon": [soon],
        "later": [later],
    }


async def _sell_again(house: House) -> None:
    """Takes back that Plov is sold out; while the till is still being told of that, it waits."""
    for _ in range(100):
        answer = await house.ask("PATCH", f"/menu/items/{PLOV.id}", {"available": True})
        if answer.json()["available"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(answer.text)


def with_known(
    document: Mapping[str, Any], known: Mapping[str, Sequence[Any]], *, in_path_only: bool = False
) -> dict[str, Any]:
    """The document, narrowed to what is there, so that requests get beyond 404: parameters and fields by name."""
    narrowed: dict[str, Any] = copy.deepcopy(dict(document))
    fields = {**FIELDS, "startsAt": known["soon"], "endsAt": known["later"]}
    for path in narrowed["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known and (parameter["in"] == "path" or not in_path_only):
                    parameter["schema"] = {"enum": [*known[parameter["name"]]]}
    if in_path_only:
        return narrowed
    bodies = {name: schema for name, schema in narrowed["components"]["schemas"].items() if name.endswith("Body")}
    for schema in bodies.values():
        for name in schema.get("properties", {}).keys() & fields.keys():
            schema["properties"][name] = {"enum": [*fields[name]]}
    bodies["OrderBody"]["required"] = ["storeSlug", "orderType", "items"]
    return narrowed


def _is_plain(case: Any, operation: Operation) -> bool:
    """Whether no parameter of the query is unknown, which is ignored, empty, which counts as left out, or there
    twice: the last one counts."""
    query = case.query or {}
    return query.keys() <= set(operation.query) and all(isinstance(value, str) and value for value in query.values())


def _can_be_wrong(operation: Operation) -> bool:
    """Whether there is anything that the document forbids; any text may stand in a path."""
    return operation.body is not None or bool(operation.query)
