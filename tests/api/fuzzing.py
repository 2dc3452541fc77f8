"""Sends an operation what its own document allows, and what it does not, and judges the answers by the document."""

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
        self._served.run(lambda house: house.ask("PATCH", f"/menu/items/{PLOV.id}", {"available": True}))
        orders = [self._served.run(lambda house: house.order())["id"] for _ in range(2)]
        answered: Counter[int] = Counter()
        familiar = with_known(self.document, orders)
        for document, mode, count in (
            (familiar, GenerationMode.POSITIVE, known),
            (self.document, GenerationMode.POSITIVE, unknown),
            (familiar, GenerationMode.NEGATIVE, unknown),
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
            case.validate_response(answer, checks=checks if _is_plain(case) else ALWAYS, headers=headers)

        send()


def with_known(document: Mapping[str, Any], orders: Sequence[str]) -> dict[str, Any]:
    """The document, narrowed to stores, orders and items that are there, so that requests get beyond 404."""
    narrowed: dict[str, Any] = copy.deepcopy(dict(document))
    values: dict[str, list[Any]] = {
        "store": [*STORES],
        "order": [*orders, "DT-001"],
        "item": [PLOV.id],
        "storeSlug": [*STORES[:1], *STORES[2:]],
        "locationId": [VENUE.id],
    }
    for path in narrowed["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in values:
                    parameter["schema"] = {"enum": values[parameter["name"]]}
    schemas = narrowed["components"]["schemas"]
    schemas["ItemBody"]["properties"]["itemId"] = {"enum": [PLOV.id]}
    schemas["ItemBody"]["properties"]["modifiers"] = {"type": "array", "maxItems": 0}
    for name in ("PricedBody", "OrderBody"):
        fields = schemas[name]["properties"]
        fields |= {"storeSlug": {"enum": ["demo", "kiosk"]}, "orderType": {"enum": ["pickup", "delivery", "dine_in"]}}
        fields["locationId"] = {"enum": [""]}
    schemas["OrderBody"]["properties"]["quoteId"] = {"enum": [""]}
    schemas["OrderBody"]["required"] = ["storeSlug", "orderType", "items"]
    return narrowed


def _is_plain(case: Any) -> bool:
    """Whether no parameter of the query is empty, which counts as left out, or there twice: the last one counts."""
    return all(isinstance(value, str) and value for value in (case.query or {}).values())


def _can_be_wrong(operation: Operation) -> bool:
    """Whether there is anything that the document forbids; any text may stand in a path."""
    return operation.body is not None or bool(operation.query)
