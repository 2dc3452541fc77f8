"""The canonical order: one tab with one or more checks, priced from our menu."""

from enum import StrEnum

from msgspec import Struct, structs

from hub.model.check import Check, Totals
from hub.model.status import Injection, OrderType, PaymentStatus, Stage, Status


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The guest as told at order time; a snapshot, not a reference."""

    name: str
    phone: str = ""
    email: str = ""


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who sent the order. `(system, venue, order_id)` names it for as long as the order exists."""

    system: str
    order_id: str = ""


class Timing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When things happen. Times are milliseconds since 1970 in UTC; the venue's zone is kept beside them."""

    timezone: str
    business_date: str
    promised_at_ms: int | None = None
    """When the guest expects the food; none means as soon as possible."""
    seated_at_ms: int | None = None
    """When the guest sat down, where somebody said so."""
    closed_at_ms: int | None = None


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a delivery order goes."""

    address: str
    instructions: str = ""


class MoneyAudit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Three views of one total, in minor units: the caller's, ours, and the POS's. They should be one."""

    computed_cents: int
    declared_cents: int | None = None
    pos_cents: int | None = None
    rule: str = "half_up_per_line"

    @property
    def difference_cents(self) -> int:
        """POS total (else the caller's) less ours; 0 when nobody else named one."""
        other = self.pos_cents if self.pos_cents is not None else self.declared_cents
        return 0 if other is None else other - self.computed_cents


class LossKind(StrEnum):
    """What became of something a vendor could not take as it was."""

    FLATTENED = "flattened"
    """It is there, as text or in another place."""
    ROUNDED = "rounded"
    """An amount differs by a rounding."""
    LOST = "lost"
    """It is not there; the hub alone has it."""


class Loss(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing a vendor could not take as it was, e.g. a table name that became part of a comment.

    `path` says where in the order, in the names of these classes; an index that is left out means all of them:

    - `order_type`, `note`, `tables`, `party_size`, `timing.promised_at_ms`
    - `customer` (all of the guest), `customer.name`, `customer.phone`, `customer.email`
    - `delivery.address`, `delivery.instructions`
    - `checks` (several bills became one), `checks[0].discounts[0]`, `checks[0].charges[0]`,
      `checks[0].payments[0]` with `.tip_cents` and `.reference`
    - `checks[0].lines[1]` (the whole line), with `.quantity`, `.unit_cents`, `.note`, `.tax`, `.modifiers[0]`, and
      below a modifier again `.modifiers[0]`
    - `totals.total_cents`, `totals.tax_cents`, `totals.tip_cents`

    What is no part of an order is named by one word: `stage`, `tickets`.
    """

    target: str
    path: str
    loss: str
    """A sentence for a person."""
    kind: LossKind = LossKind.FLATTENED


class Order(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One order. Amounts are minor units of `currency`; times are milliseconds since 1970, UTC."""

    id: str
    venue_id: str
    number: str = ""
    """Given when the order is stored, e.g. `DT-001`."""
    version: int = 1
    order_type: OrderType
    origin: Origin
    status: Status = Status.OPEN
    stage: Stage = Stage.RECEIVED
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    raw_status: str = ""
    """The POS's own word behind `stage`, kept as it came."""
    timing: Timing
    currency: str
    checks: tuple[Check, ...]
    tables: tuple[str, ...] = ()
    party_size: int | None = None
    customer: Customer | None = None
    delivery: Delivery | None = None
    note: str = ""
    money_audit: MoneyAudit
    created_at_ms: int
    updated_at_ms: int

    @property
    def totals(self) -> Totals:
        """The sum over the checks that are not void."""
        return Totals.sum_of([check.totals for check in self.checks if check.status is not Status.VOID])

    @property
    def due_cents(self) -> int:
        """What is still to be paid, over the checks that are not void."""
        return sum([check.due_cents for check in self.checks if check.status is not Status.VOID])

    def without_guest(self) -> "Order":
        """The order as it is kept once its guest is forgotten."""
        return structs.replace(self, customer=None, delivery=None, note="")

    def check_number(self, check: Check) -> str:
        """What a check is called: as the POS calls it, else by the order and its place (`DT-001`, `DT-001-2`)."""
        if check.number:
            return check.number
        place = [own.id for own in self.checks].index(check.id) + 1
        return self.number if place == 1 else f"{self.number}-{place}"


class VendorRef(Struct, frozen=True, kw_only=True):
    """A vendor's own identifier for one of our things at one link."""

    kind: str
    """`order`, `receipt`, `check` or `ticket`."""
    id: str


class PosOrder(Struct, frozen=True, kw_only=True):
    """An order as a POS tells it, in our words. What the vendor does not say is None or empty.

    Lines carry the hub's item and modifier ids, as `fetch_menu` derives them, so that they can be compared.
    """

    ref: VendorRef
    raw_status: str
    status: Status
    stage: Stage
    payment_status: PaymentStatus | None = None
    mark: str = ""
    """Our mark, when the record carries one."""
    order_type: OrderType | None = None
    customer: Customer | None = None
    checks: tuple[Check, ...] = ()
    note: str = ""
    total_cents: int | None = None
    number: str = ""
    tables: tuple[str, ...] = ()
    party_size: int | None = None
    created_at_ms: int | None = None
    tickets: tuple[VendorRef, ...] = ()
    """The kitchen's tickets for it."""
    summary_only: bool = False
    """A row of a list: lines, notes and payments are not told, `fetch_order` has them."""


class OpenItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of an order that its target does not have yet, or did not take."""

    operation: str
    state: str
    """`queued`, `sending`, `retrying`, `unknown`, or `failed` when a person must see to it."""
    cause: str = ""
    detail: str = ""


class InjectionState(Struct, frozen=True, kw_only=True, gc=False):
    """Where the order stands on its way to one link."""

    target: str
    """The connector's id."""
    link_id: str
    state: Injection
    attempts: int
    cause: str = ""
    """A key of `causes.CAUSES` when something is wrong."""
    detail: str = ""
    deadline_at_ms: int | None = None
    ref: VendorRef | None = None
    losses: tuple[Loss, ...] = ()
    """What this vendor could not take as it was."""
    pos_cents: int | None = None
    """The vendor's own total, as echoed when it took the order."""
    open_items: tuple[OpenItem, ...] = ()
    """What was asked for since the target took the order and is not there."""


class OrderRecord(Struct, frozen=True, kw_only=True, gc=False):
    """An order with what the hub knows around it."""

    order: Order
    injection: tuple[InjectionState, ...] = ()
    kept_here: tuple[Loss, ...] = ()
    """What only the hub has of it."""

    @property
    def money_audit(self) -> MoneyAudit:
        """The order's audit, with the total the POS named when it took the order if none came later."""
        audit = self.order.money_audit
        told = [state.pos_cents for state in self.injection if state.pos_cents is not None]
        return structs.replace(audit, pos_cents=told[-1]) if audit.pos_cents is None and told else audit

    @property
    def fidelity(self) -> tuple[Loss, ...]:
        """Everything any target could not take as it was."""
        return (*[loss for state in self.injection for loss in state.losses], *self.kept_here)
