"""The menu: read whole, edited, and items marked as sold out with a switch that can only be flipped."""

from typing import Any

import httpx
import jsonschema
import pytest

from connectors.desktop_kitchen.catalogue import category_id, item_id
from hub.contract.tables import load_schema
from hub.errors import OutcomeUnknown, UnmappedValue, VendorRateLimited, VendorRejected
from hub.model.menu import Item, Tax
from tests.connectors.desktop_kitchen.linked import LINK_ID, LinkedKitchen, refused, sent

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


CATEGORIES = [
    {"id": 2, "name": "Tortas", "sort_order": 2, "active": True},
    {"id": "1", "name": "Tacos", "sort_order": "1", "active": True},
    {"id": 5, "name": "Desayunos", "sort_order": 5, "active": False},
]


def item(number: int | str, **changes: Any) -> dict[str, Any]:
    row = {"id": number, "category_id": 2, "name": "Torta Cubana", "price": "130.00", "description": "Para compartir"}
    return {**row, "image_url": None, "active": True, "prep_time_minutes": 5, "is_example": False, **changes}


GROUPS = [
    {
        "id": 9,
        "name": "Salsas",
        "selection_type": "multi",
        "required": False,
        "min_selections": 0,
        "max_selections": 2,
        "sort_order": 2,
        "active": True,
        "modifiers": [
            {
                "id": 6,
                "group_id": 9,
                "name": "Guacamole",
                "price_adjustment": "12.50",
                "sort_order": 2,
                "active": False,
            },
            {"id": "4", "group_id": 9, "name": "Verde", "price_adjustment": "0.00", "sort_order": 1, "active": True},
        ],
    },
    {
        "id": 3,
        "name": "Tortilla",
        "selection_type": "single",
        "required": True,
        "min_selections": 0,
        "max_selections": 5,
        "sort_order": 1,
        "active": True,
        "modifiers": [{"id": 8, "name": "Harina", "price_adjustment": -3, "sort_order": 1, "active": True}],
    },
    {"id": 4, "name": "Off", "active": False, "modifiers": [{"id": 1, "name": "x"}]},
]


async def test_the_menu_is_read_with_its_groups_and_iva_inside_every_price() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    rows = [item(4), item("1", category_id="1", name="Taco", price=45, active=False), item(7, price=None)]
    items = linked.answers("GET", "/menu/items", rows)
    linked.answers("GET", "/modifiers/groups", GROUPS)
    linked.answers("GET", "/modifiers/groups/item/(4|7)", GROUPS)
    linked.answers("GET", "/modifiers/groups/item/1", [])
    menu = await linked.connector.fetch_menu()
    assert items.calls.last.request.url.params["include_inactive"] == "1"
    assert [section.name for section in menu.categories] == ["Tacos", "Tortas"]
    assert [(one.name, one.price_cents, one.available) for one in menu.items] == [
        ("Taco", 4500, False),
        ("Torta Cubana", 13000, True),
    ]
    torta = menu.items[1]
    assert torta.id == item_id(LINK_ID, "4")
    assert (torta.vendor, torta.tax) == ({"id": 4, "category_id": 2}, Tax(name="IVA", rate="16", inclusive=True))
    assert torta.category_id == category_id(LINK_ID, "2") == menu.categories[1].id
    assert [(group.name, group.min_select, group.max_select) for group in torta.modifier_groups] == [
        ("Tortilla", 1, 1),
        ("Salsas", 0, 2),
    ]
    salsas = torta.modifier_groups[1].options
    assert [(one.name, one.price_cents, one.available, one.vendor) for one in salsas] == [
        ("Verde", 0, True, {"id": 4}),
        ("Guacamole", 1250, False, {"id": 6}),
    ]
    assert torta.modifier_groups[0].options[0].price_cents == -300


async def test_an_item_of_a_category_that_is_off_is_sold_out_and_keeps_its_category_when_it_is_changed() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    linked.answers("GET", "/menu/items", [item(4, category_id=5), item(6, category_id=None)])
    linked.answers("GET", "/modifiers/groups", [])
    menu = await linked.connector.fetch_menu()
    eggs, loose = menu.items
    other = menu.categories[-1]
    assert (other.name, eggs.available, loose.available) == ("Other", False, True)
    assert (eggs.category_id, loose.category_id) == ("", other.id)
    linked.answers("GET", "/modifiers/groups/item/4", [])
    put = linked.answers("PUT", "/menu/items/4", {"message": "Item updated successfully"})
    await linked.connector.save_menu_item(eggs)
    assert sent(put)["category_id"] == 5


async def test_a_menu_without_groups_costs_three_calls() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    linked.answers("GET", "/menu/items", [item(4), item(5)])
    linked.answers("GET", "/modifiers/groups", [])
    assert len((await linked.connector.fetch_menu()).items) == 2
    assert len(linked.sink.calls) == 3


async def test_a_menu_waits_for_the_limit_instead_of_failing() -> None:
    class TwoAtATime:
        asked = 0

        async def acquire(self, connector: str, link_id: str, limits: object) -> float:
            self.asked += 1
            return 0.001 if self.asked % 3 == 0 else 0.0

    linked = LinkedKitchen(limiter=TwoAtATime())
    linked.answers("GET", "/modifiers/groups/item/4", [])
    for _ in range(6):
        await linked.connector._item_groups("4")
    with pytest.raises(VendorRateLimited):
        for _ in range(3):
            await linked.connector._client.fetch_item_groups("4")


NEW = Item(id="", name="Torta Ahogada", price_cents=11550, category_id=category_id(LINK_ID, "2"), description="Picante")


async def test_an_item_is_added_to_a_category_of_the_pos() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    linked.answers("GET", "/modifiers/groups/item/31", [])
    post = linked.answers("POST", "/menu/items", {"id": 31, "category_id": 2, "name": "Torta Ahogada"}, status=201)
    saved = await linked.connector.save_menu_item(NEW)
    assert b'"price":115.5' in post.calls.last.request.content
    jsonschema.validate(sent(post), load_schema("desktop_kitchen/menu_item"))
    assert (saved.id, saved.price_cents, saved.vendor) == (
        item_id(LINK_ID, "31"),
        11550,
        {"id": 31, "category_id": 2},
    )


async def test_an_item_the_pos_has_is_changed_and_a_strange_category_refused() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    linked.answers("GET", "/modifiers/groups/item/4", GROUPS)
    put = linked.answers("PUT", "/menu/items/4", {"message": "Item updated successfully"})
    changed = Item(id="i", name="Cubana", price_cents=14000, category_id=NEW.category_id, vendor={"id": 4})
    saved = await linked.connector.save_menu_item(changed)
    assert sent(put) == {"category_id": 2, "name": "Cubana", "price": 140, "description": ""}
    assert (saved.price_cents, len(saved.modifier_groups)) == (14000, 2)
    with pytest.raises(UnmappedValue, match="category"):
        await linked.connector.save_menu_item(Item(id="i", name="x", price_cents=1, category_id="category_of_the_hub"))


async def test_an_item_added_without_an_id_in_the_answer_is_unknown() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/categories", CATEGORIES)
    linked.answers("POST", "/menu/items", {}, status=201)
    with pytest.raises(OutcomeUnknown):
        await linked.connector.save_menu_item(NEW)


TORTA = Item(id="i", name="Torta", price_cents=13000, vendor={"id": 4})


class Switch:
    """An item whose switch is flipped by us, and by others when told."""

    def __init__(self, linked: LinkedKitchen, *, active: bool) -> None:
        self.active = active
        self.flips = 0
        self.undone = 0
        self.lost: list[str] = []
        self.lag = 0
        self._shown = active
        linked.route("GET", "/menu/items").mock(side_effect=self._show)
        linked.route("PUT", "/menu/items/4/toggle").mock(side_effect=self._flip)

    def _show(self, _: httpx.Request) -> httpx.Response:
        if self.lag:
            self.lag -= 1
        else:
            self._shown = self.active
        return httpx.Response(200, json=[item(4, active=self._shown)])

    def _flip(self, _: httpx.Request) -> httpx.Response:
        self.flips += 1
        lost = self.lost.pop(0) if self.lost else ""
        if lost != "before":
            self.active = not self.active
        if lost:
            raise httpx.ReadTimeout("silence")
        answer = {"id": "4", "active": self.active}
        if self.undone:
            self.undone -= 1
            self.active = not self.active
        return httpx.Response(200, json=answer)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("available", [True, False])
async def test_an_item_is_flipped_only_when_it_differs(active: bool, available: bool) -> None:
    linked = LinkedKitchen()
    switch = Switch(linked, active=active)
    await linked.connector.set_item_availability(TORTA, available=available)
    assert (switch.active, switch.flips) == (available, int(active != available))


@pytest.mark.parametrize(("undone", "flips"), [(1, 2), (2, 3)])
async def test_a_switch_flipped_back_by_somebody_else_is_flipped_again_twice_at_most(undone: int, flips: int) -> None:
    linked = LinkedKitchen()
    switch = Switch(linked, active=True)
    switch.undone = undone
    await linked.connector.set_item_availability(TORTA, available=False)
    assert (switch.active, switch.flips) == (False, flips)


async def test_a_switch_that_never_stays_is_given_up_with_words() -> None:
    linked = LinkedKitchen()
    switch = Switch(linked, active=True)
    switch.undone = 9
    with pytest.raises(VendorRejected, match="switched 3 times and somebody switched it back"):
        await linked.connector.set_item_availability(TORTA, available=False)
    assert switch.flips == 3


async def test_a_flip_without_an_answer_is_never_repeated_unseen() -> None:
    for lost, arrived in (("after", True), ("before", False)):
        linked = LinkedKitchen()
        switch = Switch(linked, active=True)
        switch.lost = [lost]
        if arrived:
            await linked.connector.set_item_availability(TORTA, available=False)
        else:
            with pytest.raises(OutcomeUnknown):
                await linked.connector.set_item_availability(TORTA, available=False)
        assert (switch.active, switch.flips) == (not arrived, 1)


async def test_a_flip_that_shows_a_moment_later_is_not_flipped_back() -> None:
    linked = LinkedKitchen()
    switch = Switch(linked, active=True)
    switch.lag = 2  # the first look, and the one right after the flip, still show the old state
    await linked.connector.set_item_availability(TORTA, available=False)
    assert (switch.active, switch.flips) == (False, 1)


async def test_an_item_that_is_gone_or_not_the_poss_cannot_be_switched() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/items", [])
    with pytest.raises(VendorRejected, match="sync the menu"):
        await linked.connector.set_item_availability(TORTA, available=False)
    with pytest.raises(UnmappedValue):
        await linked.connector.set_item_availability(Item(id="i", name="x", price_cents=1), available=False)


async def test_a_role_that_may_not_edit_the_menu_is_told_so_without_pausing_the_link() -> None:
    linked = LinkedKitchen()
    linked.answers("GET", "/menu/items", [item(4)])
    words = "Permission denied: manage_menu is not granted for role cashier"
    linked.answers("PUT", "/menu/items/4/toggle", refused(403, words))
    with pytest.raises(VendorRejected, match="give the hub's employee a role"):
        await linked.connector.set_item_availability(TORTA, available=False)
