"""Every part of an order is accounted for, and a loss is told of the part it speaks of."""

from msgspec import structs

from hub.model.check import Charge, Check, Discount, Line, Modifier, Totals
from hub.model.fidelity import Fate, assess, parts_of
from hub.model.order import Customer, Delivery, Loss, LossKind, Order
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import Status
from tests.database.stored import PLOV, order_of

SAUCE = Modifier(modifier_id="mod_2", group_id="g", name="Hot", quantity=2)
BREAD = Modifier(modifier_id="mod_1", group_id="g", name="Bread", modifiers=(SAUCE,))
TWO_PLOV = Line(
    uid="li_1",
    item_id=PLOV.id,
    name="Plov",
    quantity=2,
    unit_cents=1800,
    gross_cents=3600,
    modifiers=(BREAD,),
    note="no raisins",
)
TEA = Line(uid="li_2", item_id="item_t", name="Tea", quantity=1, unit_cents=200, gross_cents=200)
FULL = structs.replace(
    order_of(order_id="order_" + "b" * 32),
    checks=(
        Check(
            id="chk_1",
            lines=(TWO_PLOV, TEA),
            discounts=(Discount(type="percent", value="10", cents=380),),
            charges=(Charge(type="service", cents=342, percent="10"),),
            payments=(Payment(id="pay_1", method=PaymentMethod.CARD, cents=1000, tip_cents=100),),
            totals=Totals(subtotal_cents=3800, discount_cents=380, charge_cents=342, tax_cents=574, total_cents=3762),
        ),
    ),
    tables=("7A", "7B"),
    party_size=4,
    customer=Customer(name="Alice", phone="555-1234", email="a@example.com"),
    delivery=Delivery(address="1 Main St", instructions="ring twice"),
    note="birthday",
)


def fates(order: Order, *losses: Loss, arrived: bool = True) -> dict[str, Fate]:
    assessed, _ = assess(parts_of(order), losses, arrived=arrived)
    return {entry.part.path: entry.fate for entry in assessed}


def loss(path: str, kind: LossKind = LossKind.FLATTENED, words: str = "x") -> Loss:
    return Loss(target="till", path=path, loss=words, kind=kind)


def test_every_part_of_an_order_is_named_once() -> None:
    timing = structs.replace(FULL.timing, promised_at_ms=1_795_000_000_000)
    parts = parts_of(structs.replace(FULL, timing=timing))
    assert [(part.path, part.name, part.value) for part in parts] == [
        ("order_type", "order type", "pickup"),
        ("checks[0].lines[0]", "item", "Plov"),
        ("checks[0].lines[0].quantity", "quantity of Plov", "2"),
        ("checks[0].lines[0].unit_cents", "price of Plov", "₼18.00"),
        ("checks[0].lines[0].modifiers[0]", "modifier of Plov, level 1", "Bread"),
        ("checks[0].lines[0].modifiers[0].modifiers[0]", "modifier of Bread, level 2", "2 x Hot"),
        ("checks[0].lines[0].note", "note on Plov", "no raisins"),
        ("checks[0].lines[1]", "item", "Tea"),
        ("checks[0].lines[1].quantity", "quantity of Tea", "1"),
        ("checks[0].lines[1].unit_cents", "price of Tea", "₼2.00"),
        ("checks[0].discounts[0]", "discount", "₼3.80"),
        ("checks[0].charges[0]", "service charge", "₼3.42"),
        ("checks[0].payments[0]", "payment by card", "₼10.00"),
        ("checks[0].payments[0].tip_cents", "tip with it", "₼1.00"),
        ("customer.name", "guest's name", "Alice"),
        ("customer.phone", "guest's phone", "555-1234"),
        ("customer.email", "guest's email", "a@example.com"),
        ("delivery.address", "address", "1 Main St"),
        ("delivery.instructions", "instructions", "ring twice"),
        ("tables", "table", "7A, 7B"),
        ("party_size", "party size", "4"),
        ("timing.promised_at_ms", "scheduled time", "2026-11-18T15:06+04:00"),
        ("note", "order note", "birthday"),
        ("totals.tax_cents", "tax", "₼5.74"),
        ("totals.total_cents", "total", "₼37.62"),
    ]


def test_what_nobody_speaks_of_is_kept_once_it_arrived() -> None:
    assert set(fates(FULL).values()) == {Fate.KEPT}
    assert set(fates(FULL, arrived=False).values()) == {Fate.PENDING}


def test_a_loss_hits_the_part_at_its_path() -> None:
    seen = fates(FULL, loss("checks[0].lines[0].note"), loss("customer.email", LossKind.LOST))
    assert {path for path, fate in seen.items() if fate is Fate.FLATTENED} == {"checks[0].lines[0].note"}
    assert {path for path, fate in seen.items() if fate is Fate.LOST} == {"customer.email"}


def test_an_index_that_is_left_out_means_all() -> None:
    seen = fates(FULL, loss("checks.lines.unit_cents", LossKind.ROUNDED))
    assert {path for path, fate in seen.items() if fate is Fate.ROUNDED} == {
        "checks[0].lines[0].unit_cents",
        "checks[0].lines[1].unit_cents",
    }
    assert fates(FULL, loss("checks.discounts"))["checks[0].discounts[0]"] is Fate.FLATTENED


def test_a_loss_above_hits_all_that_is_below() -> None:
    seen = fates(FULL, loss("customer"))
    assert {path for path, fate in seen.items() if fate is Fate.FLATTENED} == {
        "customer.name",
        "customer.phone",
        "customer.email",
    }


def test_a_loss_below_hits_the_nearest_part_above() -> None:
    seen = fates(FULL, loss("checks[0].lines[1].tax", LossKind.LOST))
    assert {path for path, fate in seen.items() if fate is Fate.LOST} == {"checks[0].lines[1]"}


def test_a_second_level_modifier_that_moved_up_leaves_the_first_level_as_it_is() -> None:
    seen = fates(FULL, loss("checks[0].lines[0].modifiers[0].modifiers"))
    assert {path for path, fate in seen.items() if fate is Fate.FLATTENED} == {
        "checks[0].lines[0].modifiers[0].modifiers[0]"
    }


def test_the_worst_of_several_losses_counts_and_each_reason_is_told_once() -> None:
    losses = [
        loss("tables", words="in a note"),
        loss("tables", LossKind.LOST, "dropped"),
        loss("tables", words="in a note"),
    ]
    assessed, _ = assess(parts_of(FULL), losses, arrived=True)
    table = next(entry for entry in assessed if entry.part.path == "tables")
    assert (table.fate, table.why) == (Fate.LOST, ("in a note", "dropped"))


def test_what_is_no_part_of_the_order_is_told_beside_it() -> None:
    ticket = loss("tickets", LossKind.LOST, "not printed")
    assessed, others = assess(parts_of(FULL), [ticket], arrived=True)
    assert others == [ticket]
    assert {entry.fate for entry in assessed} == {Fate.KEPT}


def test_several_bills_are_a_part_and_void_ones_are_none() -> None:
    second = Check(id="chk_2", lines=(TEA,), totals=Totals(total_cents=200), status=Status.VOID)
    seen = fates(structs.replace(FULL, checks=(*FULL.checks, second)), loss("checks"))
    assert seen["checks"] is Fate.FLATTENED
    assert not any(path.startswith("checks[1]") for path in seen)
    assert seen["checks[0].lines[0]"] is Fate.KEPT
