"""How venues, menus and orders look from outside; the names and formats of the OpenPOS API."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from msgspec import Meta, Raw, Struct

from hub.model.archive import Hold
from hub.model.causes import CAUSES
from hub.model.check import Check, Line, Modifier
from hub.model.decimals import encode_json
from hub.model.ids import order_mark
from hub.model.menu import Item, Menu, ModifierGroup
from hub.model.money import Money, display, to_decimal
from hub.model.order import InjectionState, Order, OrderRecord
from hub.model.payment import Payment
from hub.model.venue import Venue, is_open
from hub.services.directory import Catalog
from hub.services.history import Entry, Failure, failures, is_refused
from hub.services.quotes import Quote


class MoneyView(Struct, frozen=True):
    """`dollars` is the amount in major units of `currency`, whatever the currency."""

    cents: int
    dollars: Annotated[Decimal, Meta(extra_json_schema={"type": "number"})]
    display: str
    currency: str


@lru_cache(maxsize=10_000)
def money(cents: int, currency: str) -> MoneyView:
    """An amount as the API shows it."""
    return MoneyView(cents, to_decimal(cents, currency), display(Money(cents, currency)), currency)


# Encoded once: an order of three items shows twenty amounts, and writing it takes 3 us instead of 4.7.
@lru_cache(maxsize=10_000)
def _amount(cents: int, currency: str) -> Raw:
    return Raw(encode_json(money(cents, currency)))


def timestamp(at_ms: int | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if at_ms is None else _second(at_ms // 1000)


@lru_cache(maxsize=1_000)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def local_timestamp(at_ms: int, timezone: str) -> str:
    """ISO 8601 in a time zone, with its offset."""
    return _local_second(at_ms // 1000, timezone)


@lru_cache(maxsize=1_000)
def _local_second(seconds: int, timezone: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(timezone)).isoformat()


def store_view(venue: Venue, now_ms: int) -> dict[str, Any]:
    """A store: address, hours, order types, policies."""
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(venue.timezone))
    policies = venue.policies
    limit = policies.anonymous_max_cents
    return {
        "id": venue.id,
        "slug": venue.slug,
        "name": venue.name,
        "address": venue.address,
        "phone": venue.phone,
        "cuisines": list(venue.cuisines),
        "currency": venue.currency,
        "timezone": venue.timezone,
        "localTime": local_timestamp(now_ms, venue.timezone),
        "isOpen": is_open(venue, local),
        "hours": [{"day": entry.day, "opens": entry.opens, "closes": entry.closes} for entry in venue.hours],
        "orderTypes": list(venue.order_types),
        "policies": {
            "practice": policies.practice,
            "anonymousOrders": policies.anonymous_orders,
            "anonymousOrderLimit": None if limit is None else _amount(limit, venue.currency),
            "deliveryAddressRequired": policies.delivery_address_required,
            "serviceChargePercent": Decimal(policies.service_charge_percent),
            "serviceChargeOrderTypes": list(policies.service_charge_order_types),
            "preparationMinutes": policies.preparation_minutes,
        },
    }


def menu_view(venue: Venue, catalog: Catalog, *, category: str | None, in_stock: bool) -> dict[str, Any]:
    """The menu by category. `category` is an id or a name; `in_stock` leaves out what cannot be ordered."""
    menu: Menu = catalog.menu
    wanted = None if category is None else category.casefold()
    sections = []
    for section in menu.categories:
        if wanted is not None and wanted not in (section.id.casefold(), section.name.casefold()):
            continue
        items = [
            item_view(item, venue.currency, catalog.is_available(item))
            for item in menu.items
            if item.category_id == section.id and not item.retired and (not in_stock or catalog.is_available(item))
        ]
        if items:
            sections.append({"id": section.id, "name": section.name, "items": items})
    return {"storeSlug": venue.slug, "locationId": venue.id, "currency": venue.currency, "categories": sections}


def item_view(item: Item, currency: str, available: bool) -> dict[str, Any]:
    """One item with its modifier groups."""
    return {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "imageUrl": item.image_url or None,
        "price": _amount(item.price_cents, currency),
        "available": available,
        "dietary": list(item.dietary),
        "allergens": list(item.allergens),
        "modifierGroups": [_group_view(group, currency) for group in item.modifier_groups],
    }


def _group_view(group: ModifierGroup, currency: str) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "required": group.min_select > 0,
        "minSelect": group.min_select,
        "maxSelect": group.max_select or None,
        "options": [
            {
                "id": option.id,
                "name": option.name,
                "price": _amount(option.price_cents, currency),
                "maxQuantity": option.max_quantity or None,
                "available": option.available,
            }
            for option in group.options
        ],
    }


def order_view(record: OrderRecord, venue: Venue, *, private: bool) -> dict[str, Any]:
    """An order. `private` adds the customer, the delivery address and what went on with the POS in detail."""
    order = record.order
    totals = order.totals
    view = {
        "id": order.id,
        "orderNumber": order.number,
        "version": order.version,
        "status": order.stage,
        "tabStatus": order.status,
        "paymentStatus": order.payment_status,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "orderType": order.order_type,
        "items": [_line_view(line, order.currency, private=private) for check in order.checks for line in check.lines],
        "subtotal": _amount(totals.subtotal_cents, order.currency),
        "discount": _amount(totals.discount_cents, order.currency),
        "serviceCharge": _amount(totals.charge_cents, order.currency),
        "tax": _amount(totals.tax_cents, order.currency),
        "total": _amount(totals.total_cents, order.currency),
        "due": _amount(order.due_cents, order.currency),
        "checks": [_check_view(order, check, private=private) for check in order.checks],
        "scheduledFor": timestamp(order.timing.promised_at_ms),
        "timezone": order.timing.timezone,
        "businessDate": order.timing.business_date,
        "createdAt": timestamp(order.created_at_ms),
        "createdAtLocal": local_timestamp(order.created_at_ms, order.timing.timezone),
        "updatedAt": timestamp(order.updated_at_ms),
        "closedAt": timestamp(order.timing.closed_at_ms),
        "injection": [injection_view(state, private=private) for state in record.injection],
    }
    if private:
        view |= _private_view(record)
    return view


def trace_view(record: OrderRecord, entries: Sequence[Entry]) -> dict[str, Any]:
    """An order's history."""
    order = record.order
    return {
        "orderId": order.id,
        "orderNumber": order.number,
        "status": order.stage,
        "entries": [
            {
                "at": timestamp(entry.at_ms),
                "atLocal": local_timestamp(entry.at_ms, order.timing.timezone),
                "kind": entry.kind,
                "detail": entry.detail,
                "actor": entry.actor,
                "status": entry.status,
                "milliseconds": entry.milliseconds,
            }
            for entry in entries
        ],
        "injection": [injection_view(state, private=True) for state in record.injection],
    }


def failure_view(record: OrderRecord) -> dict[str, Any]:
    """What is wrong with an order."""
    order, found = record.order, failures(record)
    summary = f"{order.number} is {order.stage}."
    if found:
        summary += " " + " ".join(failure.cause.title for failure in found if failure.cause is not None)
    elif not is_refused(record):
        summary += " Nothing is wrong with it."
    return {
        "orderId": order.id,
        "orderNumber": order.number,
        "status": order.stage,
        "failed": bool(found) or is_refused(record),
        "summary": summary.strip(),
        "failures": [_failure_view(failure) for failure in found],
    }


def _failure_view(failure: Failure) -> dict[str, Any]:
    cause = failure.cause
    return {
        "target": failure.target,
        "state": failure.state,
        "attempts": failure.attempts,
        "deadlineAt": timestamp(failure.deadline_at_ms),
        "code": "" if cause is None else cause.key,
        "title": "" if cause is None else cause.title,
        "owner": "" if cause is None else cause.owner,
        "nextAction": "" if cause is None else cause.next_action,
        "retryHelps": cause is None or cause.retry_helps,
        "detail": failure.detail,
    }


def quote_view(quote: Quote, venue: Venue) -> dict[str, Any]:
    """A price quote."""
    order = quote.order
    totals = order.totals
    return {
        "id": quote.id,
        "expiresAt": timestamp(quote.expires_at_ms),
        "expiresAtLocal": local_timestamp(quote.expires_at_ms, venue.timezone),
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "orderType": order.order_type,
        "items": [_line_view(line, order.currency, private=True) for check in order.checks for line in check.lines],
        "subtotal": _amount(totals.subtotal_cents, order.currency),
        "discount": _amount(totals.discount_cents, order.currency),
        "serviceCharge": _amount(totals.charge_cents, order.currency),
        "tax": _amount(totals.tax_cents, order.currency),
        "total": _amount(totals.total_cents, order.currency),
    }


def _private_view(record: OrderRecord) -> dict[str, Any]:
    order, audit = record.order, record.money_audit
    customer, delivery = order.customer, order.delivery
    return {
        "customer": None
        if customer is None
        else {"name": customer.name, "phone": customer.phone or None, "email": customer.email or None},
        "deliveryAddress": None if delivery is None else delivery.address,
        "deliveryInstructions": None if delivery is None else delivery.instructions or None,
        "tables": list(order.tables),
        "partySize": order.party_size,
        "notes": order.note,
        "externalId": order.origin.order_id or None,
        "mark": order_mark(order.id),
        "origin": order.origin.system,
        "moneyAudit": {
            "computed": _amount(audit.computed_cents, order.currency),
            "declared": _optional_money(audit.declared_cents, order),
            "pos": _optional_money(audit.pos_cents, order),
            "difference": _amount(audit.difference_cents, order.currency),
            "rule": audit.rule,
        },
        "fidelity": [
            {"target": loss.target, "path": loss.path, "kind": loss.kind, "loss": loss.loss} for loss in record.fidelity
        ],
    }


def _check_view(order: Order, check: Check, *, private: bool) -> dict[str, Any]:
    currency = order.currency
    view = {
        "id": check.id,
        "number": order.check_number(check),
        "status": check.status,
        "lines": [line.uid for line in check.lines],
        "total": _amount(check.totals.total_cents, currency),
        "paid": _amount(check.paid_cents, currency),
        "due": _amount(check.due_cents, currency),
    }
    if private:
        view["payments"] = [_payment_view(own, currency) for own in check.payments]
    return view


def _payment_view(payment: Payment, currency: str) -> dict[str, Any]:
    return {
        "id": payment.id,
        "method": payment.method,
        "code": payment.raw_method or None,
        "amount": _amount(payment.cents, currency),
        "tip": _amount(payment.tip_cents, currency),
        "refunded": _amount(payment.refunded_cents, currency),
        "reference": payment.reference or None,
        "takenAt": timestamp(payment.taken_at_ms or None),
    }


def hold_view(hold: Hold, order: Order) -> dict[str, Any]:
    """A legal hold: whose, why, since when and by whom."""
    return {
        "orderId": order.id,
        "orderNumber": order.number,
        "reason": hold.reason,
        "heldBy": hold.actor,
        "since": timestamp(hold.since_ms),
    }


def _optional_money(cents: int | None, order: Order) -> Raw | None:
    return None if cents is None else _amount(cents, order.currency)


def _line_view(line: Line, currency: str, *, private: bool) -> dict[str, Any]:
    return {
        "uid": line.uid,
        "itemId": line.item_id,
        "name": line.name,
        "quantity": line.quantity,
        "unitPrice": _amount(line.unit_cents, currency),
        "modifiers": [_modifier_view(modifier, currency) for modifier in line.modifiers],
        "total": _amount(line.gross_cents - line.discount_cents, currency),
        "notes": line.note if private else "",  # guests write names and more into it
    }


def _modifier_view(modifier: Modifier, currency: str) -> dict[str, Any]:
    return {
        "modifierGroupId": modifier.group_id,
        "optionId": modifier.modifier_id,
        "name": modifier.name,
        "quantity": modifier.quantity,
        "unitPrice": _amount(modifier.unit_cents, currency),
    }


def injection_view(state: InjectionState, *, private: bool) -> dict[str, Any]:
    """How far an order is on its way into one target. `private` adds the target's own words and number."""
    cause = CAUSES.get(state.cause)
    view = {
        "target": state.target,
        "state": state.state,
        "attempts": state.attempts,
        "deadlineAt": timestamp(state.deadline_at_ms),
        "cause": None
        if cause is None
        else {
            "code": cause.key,
            "title": cause.title,
            "owner": cause.owner,
            "nextAction": cause.next_action,
        },
    }
    if private:
        view["detail"] = state.detail
        view["posOrderId"] = None if state.ref is None else state.ref.id
        view["openItems"] = [
            {"operation": item.operation, "state": item.state, "cause": item.cause or None, "detail": item.detail}
            for item in state.open_items
        ]
    return view
