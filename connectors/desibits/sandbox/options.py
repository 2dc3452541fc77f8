"""How the sandbox behaves where the page leaves it open: the section `options` of the seed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec


class ItemsUpdate(StrEnum):
    """What the items of an update are."""

    REPLACE = "replace"
    """The whole order from now on."""
    APPEND = "append"
    """More of it."""


class SecondKot(StrEnum):
    """What a further kitchen ticket does when everything has been sent already."""

    REPEAT = "repeat"
    """It tells the kitchen to cook everything again."""
    REFUSE = "refuse"
    """It is refused."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options; each default is what the page shows or, where it shows nothing, what surprises a caller more."""

    kot_id: bool = False
    """The answer to a new kitchen ticket carries its `id`; the example of the page has none."""
    kots_in_order: bool = True
    """An order that is read carries its kitchen tickets in `kots`."""
    cancelled_word: Literal["cancelled", "canceled"] = "cancelled"
    """How answers spell it; requests may then use either."""
    refusals_in_200: bool = False
    """A business refusal comes with 200 in place of 400, 404 or 409."""
    per_page: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    """Lists come in pages of this size, with `meta`; None: whole, without."""
    rate_limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Calls a minute for a token, told in `X-RateLimit-*` headers; None: no limit and no headers."""
    notes_on_create: bool = False
    """A new order keeps `notes`; the page names them for the update alone."""
    honour_price: bool = True
    """The `price` of an item counts; else the price of the menu does."""
    table_required: bool = True
    """A dine-in order needs a table."""
    empty_orders: bool = True
    """An order may be opened without items."""
    brief_lists: bool = False
    """A list of orders shows only what the answer to a new order shows."""
    items_update: ItemsUpdate = ItemsUpdate.REPLACE
    second_kot: SecondKot = SecondKot.REPEAT


def options_of(seed: Mapping[str, Any]) -> Options:
    """The options of a seed; raises `msgspec.ValidationError` for one that is not known."""
    return msgspec.convert(seed.get("options", {}), Options)
