"""The two generations of Clopos' API, chosen once per link: what differs beyond the shape of an order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from connectors.clopos import translate_v1, translate_v2
from connectors.clopos.translate import OrderSetup, Translated
from connectors.clopos.wire import OrderV1, OrderV2
from hub.contract.writes import Operation, OrderWrite, Replay, WriteRule


@dataclass(frozen=True)
class Dialect:
    """One generation. `credentials` and `headers` name settings of the link."""

    path_prefix: str
    credentials: tuple[str, ...]
    headers: Mapping[str, str]
    order_to_clopos: Callable[[OrderWrite, OrderSetup], Translated[OrderV1] | Translated[OrderV2]]
    names_venue: bool
    """Orders carry the venue's name beside its number."""
    needs_phone: bool
    """Orders must carry a phone number, also those of the default customer."""
    takes_key: bool
    """Orders may carry an `Idempotency-Key`."""
    lists_by_date: bool
    """The list of orders takes a range of days."""
    rules: Mapping[Operation, WriteRule]
    """Where this generation is less safe than the connector's own declaration."""


V1 = Dialect(
    path_prefix="",
    credentials=("client_id", "client_secret", "brand", "venue_id"),
    headers={"x-brand": "brand", "x-venue": "venue_id", "x-stage": "stage"},
    order_to_clopos=translate_v1.order_to_clopos,
    names_venue=True,
    needs_phone=False,
    takes_key=True,
    lists_by_date=False,
    rules={},
)

V2 = Dialect(
    path_prefix="/v2",
    credentials=("client_id", "client_secret", "brand", "integrator_id"),
    headers={"x-venue": "venue_id", "x-stage": "stage"},
    order_to_clopos=translate_v2.order_to_clopos,
    names_venue=False,
    needs_phone=True,
    takes_key=False,
    lists_by_date=True,
    # No page of v2 mentions the key, and https://developer.clopos.com/errors asks to look before a repetition.
    rules={
        Operation.SUBMIT_ORDER: WriteRule(Replay.SEARCHABLE, look_up="find_order"),
        Operation.ADD_LINES: WriteRule(Replay.SEARCHABLE, look_up="find_round"),
    },
)

DIALECTS = {"v1": V1, "v2": V2}

# Clopos does not say how long it remembers a key; a day is our assumption.
KEY_RETENTION = timedelta(hours=24)
