"""The seed of the Mozrest sandbox: its venues with both keys, and what its documentation leaves open."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from hub.contract.sandbox.ledger import to_json

NotBlank = Annotated[str, msgspec.Meta(min_length=1)]


class Paths(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Paths on both sides. The void path and the path of one order stand on no page we have seen."""

    open_order: str = "/{venueId}/order"
    update_order: str = "/{venueId}/order/{orderId}"
    close_order: str = "/{venueId}/order/{orderId}/close"
    void_order: str = "/{venueId}/order/{orderId}/void"
    tables: str = "/venue/{venueId}/tables"
    orders: str = "/venue/{venueId}/orders"
    order: str = "/venue/{venueId}/orders/{orderId}"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How this Mozrest behaves where the documentation is silent. Paths hold from the start of the server on."""

    base_path: str = "/v1/pos"
    paths: Paths = Paths()
    void_method: Literal["PUT", "POST", "DELETE"] = "PUT"
    order_id: Literal["pos", "mozrest"] = "pos"
    """Whose id stands in the path of update, close and void."""
    deduplicate_open_orders: bool = False
    """Whether a walk-in that comes again with a POS id we know is the same order."""
    reopen: bool = False
    """Whether an update may change, or open again, an order that is closed."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 1
    """How often a call to the POS is repeated after 500, 503 or no answer."""
    retry_pause_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.5
    """The pause before the first repetition; it doubles."""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 30.0


class Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A restaurant: where its POS answers, and the two keys."""

    id: NotBlank
    hub_url: NotBlank
    """The base URL the POS handed over, without a slash at its end."""
    hub_token: NotBlank
    """The bearer token for calls to the POS."""
    api_key: NotBlank
    """The bearer token the POS must show when it calls here."""
    name: str = ""
    money_digits: Annotated[int, msgspec.Meta(ge=0, le=4)] = 2
    """Decimals of the currency; Mozrest sends none along."""


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the sandbox plays with."""

    venues: tuple[Venue, ...]
    settings: Settings = Settings()

    def find_venue(self, venue_id: str) -> Venue | None:
        """The venue of this id."""
        return next((venue for venue in self.venues if venue.id == venue_id), None)


def read_seed(raw: Mapping[str, Any]) -> Seed:
    """A seed from its JSON; raises `msgspec.ValidationError`, a `DecodeError`, that names the field."""
    return msgspec.json.decode(to_json(raw), type=Seed)
