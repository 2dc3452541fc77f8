"""What arrived of an order, and where a store and its POS drift apart, over the API and at the terminal."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import Connection

from hub.cli import changes as commands
from hub.cli import comparing, delivering
from hub.cli import report as terminal
from hub.database.directory import set_link_paused
from hub.database.link_state import CodeRow, replace_codes
from hub.errors import NotFound, VendorRejected, VendorUnreachable
from hub.model.menu import Menu
from hub.model.order import Loss, LossKind
from tests.api.conftest import NewHouse
from tests.api.house import House
from tests.database.stored import LINK, PLOV

pytestmark = pytest.mark.anyio
TABLE = Loss(target="till", path="tables", loss="it is part of the note")
EMAIL = Loss(target="till", path="tickets", loss="the ticket was not printed", kind=LossKind.LOST)


@pytest.fixture
async def busy(new_house: NewHouse) -> AsyncIterator[House]:
    """A hub that delivers, to a till that cannot take tables."""
    async with new_house(deliver=True) as opened:
        opened.till.losses = (TABLE, EMAIL)
        yield opened


async def report(house: House, order: dict[str, Any]) -> dict[str, Any]:
    [target] = (await house.get(f"/orders/{order['id']}/fidelity")).json()["targets"]
    return dict(target)


async def test_an_order_that_arrived_tells_what_became_of_each_part(busy: House) -> None:
    order = await busy.delivered(await busy.order())
    told = await report(busy, order)
    fates = {part["path"]: (part["fate"], part["why"]) for part in told["parts"]}
    assert (told["target"], told["state"]) == ("till", "confirmed")
    assert fates["tables"] == ("flattened", ["it is part of the note"])
    assert {path for path, (fate, _) in fates.items() if fate != "kept"} == {"tables"}
    assert told["counts"] == {"kept": 6, "flattened": 1, "rounded": 0, "lost": 0, "pending": 0}
    assert told["others"] == [{"path": "tickets", "kind": "lost", "loss": "the ticket was not printed"}]


async def test_an_order_on_its_way_is_pending_and_one_without_a_pos_has_no_report(house: House) -> None:
    told = await report(house, await house.order())
    assert {part["fate"] for part in told["parts"]} == {"pending"}
    alone = await house.order("kiosk")
    assert (await house.get(f"/orders/{alone['id']}/fidelity")).json()["targets"] == []


async def test_a_payment_that_the_pos_cannot_take_is_lost_there(new_house: NewHouse) -> None:
    async with new_house(deliver=True) as house:
        order = await house.delivered(await house.order("other"))
        answer = await house.post(f"/orders/{order['id']}/payments", {"method": "cash", "amount": 800})
        assert answer.json()["pos"] == "not_supported"
        await house.post(f"/orders/{order['id']}/discount", {"type": "percent", "value": 10})
        told = await report(house, order)
        lost = {part["name"]: part["why"] for part in told["parts"] if part["fate"] == "lost"}
        assert lost == {
            "payment by cash": ["this POS takes no payments from others; the hub alone has it"],
            "discount": ["discounted after the order was sent, which this POS does not take"],
        }


async def test_a_report_needs_a_key_for_this_store(house: House) -> None:
    order = await house.order()
    for path in (f"/orders/{order['id']}/fidelity", "/stores/demo/drift"):
        assert [(await house.get(path, key=key)).status_code for key in ("", "sk_other")] == [401, 403]
    assert (await house.get("/orders/DT-999/fidelity")).status_code == 404


async def test_a_store_that_fits_its_pos_has_no_rows(house: House) -> None:
    answer = (await house.get("/stores/demo/drift")).json()
    assert answer["rows"] == [
        {
            "severity": "warning",
            "kind": "PAYMENT_METHOD_UNMAPPED",
            "subject": word,
            "found": "the POS has no such way to pay",
            "effect": f"payments by {word} that name no code cannot be recorded at the POS",
            "action": "send another method, or the POS's code with the payment",
            "itemId": "",
        }
        for word in ("cash", "card")
    ]
    assert (answer["errors"], answer["compared"]) == (0, ["menu", "set-up", "payment methods", "codes"])
    assert (await house.get("/stores/kiosk/drift")).json() == {
        "storeSlug": "kiosk",
        "pos": None,
        "errors": 0,
        "compared": [],
        "rows": [],
    }


async def test_what_drifted_apart_is_told_with_errors_first(house: House) -> None:
    house.till.menu = Menu(items=(structs.replace(PLOV, id="item_x", name="Soup"),))

    def unit(connection: Connection) -> None:
        replace_codes(connection, LINK.id, [CodeRow(code_table="sale_type", code_id="2", name="Delivery")])

    await house.hub.database.write(unit)
    answer = (await house.get("/stores/demo/drift")).json()
    rows = [(row["severity"], row["kind"], row["subject"]) for row in answer["rows"]]
    assert rows[:2] == [("error", "ITEM_NOT_AT_POS", "Plov"), ("warning", "ITEM_NOT_HERE", "Soup")]
    assert answer["errors"] == 1


async def test_a_pos_that_does_not_answer_is_a_row_of_the_report(house: House) -> None:
    house.till.error = VendorUnreachable("till: nobody answers")
    answer = (await house.get("/stores/demo/drift")).json()
    assert [(row["kind"], row["found"]) for row in answer["rows"]] == [
        ("POS_NOT_COMPARED", "till: nobody answers"),
        ("POS_NOT_COMPARED", "till: nobody answers"),
    ]
    assert (answer["errors"], answer["compared"]) == (2, ["set-up", "codes"])


async def test_a_paused_link_is_an_error_of_its_own(house: House) -> None:
    await house.hub.database.write(lambda connection: set_link_paused(connection, LINK.id, "LINK_PAUSED"))
    await house.hub.directory.refresh()
    answer = (await house.get("/stores/demo/drift")).json()
    assert answer["rows"][0]["kind"] == "LINK_PAUSED"
    assert answer["rows"][0]["action"] == f"`openpos-hub link resume {LINK.id}` when orders may go out again"


async def test_the_terminal_cancels_and_moves_on(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = await house.order("kiosk"), await house.order()
    assert await commands.set_status(house.hub, first["orderNumber"], "ready") == 0
    assert await commands.cancel(house.hub, first["id"], reason="guest left") == 0
    assert await commands.set_status(house.hub, second["id"], "accepted") == 0
    assert capsys.readouterr().out.splitlines() == [
        "KI-001: ready (this store has no POS)",
        "KI-001: cancelled (this store has no POS)",
        "DT-001: accepted (the POS will be told)",
    ]


async def test_the_terminal_shows_fidelity_and_drift(busy: House, capsys: pytest.CaptureFixture[str]) -> None:
    order = await busy.delivered(await busy.order())
    capsys.readouterr()
    assert await comparing.fidelity(busy.hub, order["id"], as_json=False) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "DT-001 at till (confirmed): 6 kept, 1 flattened"
    assert "! flattened table: 7A  it is part of the note" in shown
    assert shown[-1] == "! lost      tickets  the ticket was not printed"
    busy.till.menu = Menu()
    assert await comparing.drift(busy.hub, "demo", as_json=False) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "demo (till): 1 errors, 2 warnings; compared: menu, set-up, payment methods, codes"
    assert shown[1] == "ERROR   ITEM_NOT_AT_POS  Plov: the POS does not know it"
    assert await comparing.drift(busy.hub, "kiosk", as_json=False) == 0
    assert capsys.readouterr().out == "kiosk: no POS, nothing to compare\n"


async def test_the_terminal_marks_items_by_name_or_id(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert await commands.set_available(house.hub, "demo", "plov", available=False) == 0
    assert await commands.set_available(house.hub, "kiosk", PLOV.id, available=False) == 0
    assert await commands.set_available(house.hub, "demo", "Plov", available=True) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Plov: sold out (the POS has it so)",
        "Plov: sold out (this store has no POS)",
        "Plov: on sale (the POS has it so)",
    ]
    with pytest.raises(NotFound, match="no item 'Soup'"):
        await commands.set_available(house.hub, "demo", "Soup", available=False)


async def test_what_the_pos_refused_of_an_item_is_listed_and_delivered_by_venue_and_item(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.till.error = VendorRejected("till: the item is locked")
    answer = await house.ask("PATCH", f"/menu/items/{PLOV.id}", {"available": False})
    assert (answer.json()["hub"], answer.json()["pos"]) == ("applied", "refused")
    place = f"demo/{PLOV.id}"
    assert await terminal.stuck(house.hub) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{place}  Plov  sold out  [POS_REJECTED]",
        "    The POS did not take over whether this item can be ordered; the hub itself has it so.",
        f"    -> Mark it there by hand, then `openpos-hub deliver {place} --done`; without --done it is tried again.",
        "    till: the item is locked",
        "1 waiting",
    ]
    assert await delivering.deliver(house.hub, place, done=False, force=False) == 0
    assert await delivering.deliver(house.hub, "demo/plov", done=True, force=False) == 0
    assert capsys.readouterr().out.splitlines() == ["Plov: the POS refused it again", "Plov: marked as done by hand"]
    with pytest.raises(NotFound, match="nothing of 'demo/plov' waits"):
        await delivering.deliver(house.hub, "demo/plov", done=True, force=False)
    assert await terminal.stuck(house.hub) == 0
    assert capsys.readouterr().out == "nothing waits for a person\n"


async def test_all_that_waits_is_delivered_items_and_orders(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert await delivering.deliver(house.hub, "all", done=False, force=False) == 0
    assert capsys.readouterr().out == "nothing waits for a person\n"
    house.till.error = VendorRejected("till: the item is locked")
    await house.ask("PATCH", f"/menu/items/{PLOV.id}", {"available": False})
    house.till.error = None
    assert await delivering.deliver(house.hub, "all", done=False, force=False) == 0
    assert capsys.readouterr().out == "Plov: the POS has it so\n"
    assert house.till.asked[-1] == ("set_item_availability", PLOV.id, False)
