"""Payments and refunds: Desktop Kitchen's orders are paid or not, as a whole."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from connectors.desktop_kitchen.client import DesktopKitchenClient
from connectors.desktop_kitchen.notes import CONNECTOR
from connectors.desktop_kitchen.read_order import payment_status_of
from connectors.desktop_kitchen.refusals import PAID, meaning
from connectors.desktop_kitchen.rounds import order_ids, order_ref
from connectors.desktop_kitchen.settings import DesktopKitchenSettings
from connectors.desktop_kitchen.translate import lost
from connectors.desktop_kitchen.values import to_amount
from connectors.desktop_kitchen.wire import NewRefund, PaidBy
from hub.contract.amounts import read_cents
from hub.contract.connector import LinkContext
from hub.contract.families import PaymentState, PosPaymentMethod
from hub.contract.writes import LookUp, OrderWrite, Verdict, WriteResult
from hub.errors import VendorRejected
from hub.model.change import PaymentChange, RefundChange
from hub.model.money import Money, display
from hub.model.order import Loss
from hub.model.payment import Payment, PaymentMethod
from hub.model.status import PaymentStatus, Status

_WORDS: Final = {"cash": PaymentMethod.CASH, "card": PaymentMethod.CARD, "transfer": PaymentMethod.TRANSFER}
_UNDER_WAY: Final = frozenset({"processing", "pending_oxxo", "pending_spei"})
_SPLIT: Final = "split"
# The words for a kind of split are not documented; the server is not known to check them.
_SPLIT_TYPE: Final = "custom"


class _Paid(Struct, frozen=True):
    """What the POS says of an order's money, in minor units."""

    status: PaymentStatus | None
    raw_status: str
    method: str
    amount_cents: int
    refunded_cents: int


class _Parts(Struct, frozen=True):
    """How a bill was paid: the payments with their words at the POS, all of them or those so far."""

    payments: tuple[tuple[str, Payment], ...]
    complete: bool

    @property
    def word(self) -> str:
        """The method an order paid so ends up with."""
        words = {word for word, _ in self.payments}
        return words.pop() if len(words) == 1 else _SPLIT

    @property
    def tip_cents(self) -> int:
        return sum(payment.tip_cents for _, payment in self.payments)


class Payments:
    """Payments of one link."""

    def __init__(self, context: LinkContext, client: DesktopKitchenClient, settings: DesktopKitchenSettings) -> None:
        self._context = context
        self._client = client
        self._settings = settings

    async def record(self, request: OrderWrite) -> WriteResult:
        """Marks the order, and its rounds, as paid once everything is; until then the hub alone knows of a part.

        An order that is paid by the same method already counts as success. Raises `VendorRejected` when it is paid
        by another one, `UnmappedValue` for a method the POS has no word for.
        """
        ref, parts = order_ref(request), self._parts(request)
        if not parts.complete:
            unpaid = "Desktop Kitchen knows paid or unpaid only; this part stays in the hub until the rest is paid"
            return WriteResult(ref=ref, losses=(lost("checks.payments", unpaid),))
        ids = order_ids(request)
        losses = self._lost(parts, len(ids))
        word = _largest(parts) if len(ids) > 1 else parts.word
        for order_id in ids:
            await self._pay_once(order_id, word, parts, tip=order_id == ids[0])
        return WriteResult(ref=ref, losses=tuple(losses))

    async def find(self, request: OrderWrite) -> LookUp:
        """Whether `record` happened: every order of the tab is paid, by the method it would use."""
        ref, parts = order_ref(request), self._parts(request)
        ids = order_ids(request)
        word = _largest(parts) if len(ids) > 1 else parts.word
        paid = [await self._fetch(order_id) for order_id in ids]
        done = parts.complete and all(one.status is PaymentStatus.PAID and one.method == word for one in paid)
        return LookUp(verdict=Verdict.FOUND, ref=ref) if done else LookUp(verdict=Verdict.ABSENT)

    async def refund(self, request: OrderWrite) -> WriteResult:
        """Gives an amount back, from the order and then from its rounds. Raises `VendorRejected` when it is not
        paid at the POS, or less than the amount is left there."""
        change = request.change
        if not isinstance(change, RefundChange):
            raise VendorRejected("refund_payment: no refund to make", connector=CONNECTOR)
        ref = order_ref(request)
        planned, left = [], change.cents
        for order_id in order_ids(request):
            paid = await self._fetch(order_id)
            remaining = paid.amount_cents - paid.refunded_cents if _was_paid(paid) else 0
            cents = min(remaining, left)
            left -= cents
            if cents > 0:
                planned.append((order_id, cents, cents == paid.amount_cents))
        if left:
            amount = display(Money(change.cents - left, self._context.currency))
            raise VendorRejected(
                f"refund_payment: only {amount} is paid at the POS and not given back yet",
                connector=CONNECTOR,
                operation="refund_payment",
            )
        for order_id, cents, whole in planned:
            body: NewRefund = {"order_id": int(order_id)}
            if not whole:
                body["amount"] = to_amount(cents, self._context.currency)
            if request.reason:
                body["reason"] = request.reason
            await self._client.refund(body)
        return WriteResult(ref=ref)

    def methods(self) -> Sequence[PosPaymentMethod]:
        """The three words an order may be marked as paid with; they are the same at every restaurant."""
        return [PosPaymentMethod(code=word, name=word.capitalize(), method=method) for word, method in _WORDS.items()]

    async def state(self, order_id: str) -> PaymentState:
        """What is paid of an order of the POS."""
        paid = await self._fetch(order_id)
        taken = paid.amount_cents - paid.refunded_cents if _was_paid(paid) else 0
        due = 0 if _was_paid(paid) else paid.amount_cents
        return PaymentState(raw_status=paid.raw_status, paid_cents=taken, due_cents=due)

    async def _pay_once(self, order_id: str, word: str, parts: _Parts, *, tip: bool) -> None:
        before = await self._fetch(order_id)
        if self._is_paid_so(before, word):
            return
        try:
            await self._pay(order_id, word, parts, before, tip=tip)
        except VendorRejected as refused:
            if meaning(refused, self._context.tables) != PAID:
                raise
            if not self._is_paid_so(await self._fetch(order_id), word):
                raise

    async def _pay(self, order_id: str, word: str, parts: _Parts, before: _Paid, *, tip: bool) -> None:
        currency, number = self._context.currency, int(order_id)
        if word == _SPLIT:
            await self._client.pay_split(
                {
                    "order_id": number,
                    "split_type": _SPLIT_TYPE,
                    "splits": [
                        {
                            "payment_method": one,
                            "amount": to_amount(payment.cents, currency),
                            "tip": to_amount(payment.tip_cents, currency),
                        }
                        for one, payment in parts.payments
                    ],
                }
            )
        elif word == "cash" and self._settings.cash_payments == "drawer":
            tip_cents = parts.tip_cents if tip else 0
            received = to_amount(before.amount_cents + tip_cents, currency)
            tip_amount = to_amount(tip_cents, currency)
            await self._client.pay_cash({"order_id": number, "tip": tip_amount, "amount_received": received})
        else:
            body: PaidBy = {"payment_method": word}
            reference = next((payment.reference for _, payment in parts.payments if payment.reference), "")
            if reference:
                body["reference"] = reference
            await self._client.mark_paid(order_id, body)

    def _is_paid_so(self, paid: _Paid, word: str) -> bool:
        """Whether the order is paid by this method.

        Raises `VendorRejected` when it is paid by another one, or somebody is paying it at this moment.
        """
        if paid.status is PaymentStatus.UNPAID and paid.raw_status not in _UNDER_WAY:
            return False
        if paid.status is PaymentStatus.PAID and paid.method == word:
            return True
        raise VendorRejected(
            f"record_payment: the order is {paid.raw_status!r} at the POS, by {paid.method or 'no method'!r}",
            connector=CONNECTOR,
            operation="record_payment",
        )

    def _parts(self, request: OrderWrite) -> _Parts:
        """All payments of the order, with those of this change, and whether they cover it."""
        change = request.change
        if not isinstance(change, PaymentChange):
            raise VendorRejected("record_payment: no payment to record", connector=CONNECTOR)
        checks = [check for check in request.order.checks if check.status is not Status.VOID]
        payments = {payment.id: payment for check in checks for payment in check.payments}
        payments.update({payment.id: payment for payment in change.payments})
        kept = [payment for payment in payments.values() if payment.refunded_cents < payment.cents]
        totals, audit = request.order.totals, request.order.money_audit
        # The POS's total may have taken the place of ours, with prices or without a discount that the guest never saw.
        due = min(totals.total_cents, audit.computed_cents) - totals.tip_cents
        covered = sum(payment.cents - payment.refunded_cents for payment in kept)
        words = tuple((self._word(payment), payment) for payment in kept)
        return _Parts(words, bool(words) and covered >= due)

    def _word(self, payment: Payment) -> str:
        if payment.raw_method in _WORDS:
            return payment.raw_method
        own = self._settings.payment_methods.get(payment.method)
        return own or str(self._context.tables.to_vendor("payment_method", payment.method.value))

    def _lost(self, parts: _Parts, orders: int) -> Iterable[Loss]:
        keeps_tips = orders == 1 and parts.word == _SPLIT
        keeps_tips = keeps_tips or (self._settings.cash_payments == "drawer" and parts.word == "cash")
        if parts.tip_cents and not keeps_tips:
            tip = display(Money(parts.tip_cents, self._context.currency))
            yield lost(
                "checks.payments.tip_cents", f"orders are marked as paid without a tip; {tip} is in the hub alone"
            )
        if any(payment.reference for _, payment in parts.payments):
            yield lost("checks.payments.reference", "Desktop Kitchen does not keep a payment's reference")
        if orders > 1 and parts.word == _SPLIT:
            yield lost(
                "checks.payments", f"the tab is {orders} orders at the POS; each is marked with the largest method"
            )

    async def _fetch(self, order_id: str) -> _Paid:
        row = await self._client.fetch_payment(order_id)
        currency = self._context.currency
        return _Paid(
            status=payment_status_of(row.get("payment_status"), self._context.tables),
            raw_status=str(row.get("payment_status") or ""),
            method=str(row.get("payment_method") or ""),
            amount_cents=read_cents(row.get("amount"), currency) or 0,
            refunded_cents=read_cents(row.get("refund_total"), currency) or 0,
        )


def _was_paid(paid: _Paid) -> bool:
    return paid.status in (PaymentStatus.PAID, PaymentStatus.REFUNDED)


def _largest(parts: _Parts) -> str:
    """The word of the largest payment, for a tab that is several orders at the POS."""
    return max(parts.payments, key=lambda part: part[1].cents)[0] if parts.payments else ""
