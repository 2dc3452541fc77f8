"""Every call inside a tenant: its name, its path, who may make it, and what it counts towards."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from aiohttp import web

from connectors.desktop_kitchen.sandbox.delivery import DECISIONS, Delivery
from connectors.desktop_kitchen.sandbox.doors import Access, Visit
from connectors.desktop_kitchen.sandbox.guests import Guests
from connectors.desktop_kitchen.sandbox.limits import Limit
from connectors.desktop_kitchen.sandbox.menu import Menu
from connectors.desktop_kitchen.sandbox.office import Office
from connectors.desktop_kitchen.sandbox.orders import Orders
from connectors.desktop_kitchen.sandbox.payments import Payments
from connectors.desktop_kitchen.sandbox.stock import Stock

Answering = Callable[[Visit], Awaitable[web.Response]]
DELIVERY = "delivery"


@dataclass(frozen=True)
class Route:
    """One call; without `access` it asks for the tenant alone, and nearly all reads are like that."""

    operation: str
    method: str
    path: str
    answering: Answering
    access: Access | None = None
    limit: Limit | None = None
    feature: str | None = None
    """What the plan of the tenant must have."""


@dataclass(frozen=True)
class Parts:
    """The parts of the server that answer calls."""

    orders: Orders
    payments: Payments
    menu: Menu
    stock: Stock
    delivery: Delivery
    office: Office
    guests: Guests


def routes(parts: Parts, *, documented: bool) -> Iterator[Route]:
    """The calls of the published server, or with `documented` those of the documentation where the two differ."""
    yield from _orders(parts.orders, parts.payments)
    yield from _payments(parts.payments)
    yield from _menu(parts.menu, documented)
    yield from _stock(parts.stock)
    yield from _delivery(parts.delivery, documented)
    yield from _office(parts.office, documented)
    yield from _guests(parts.guests)


def _orders(orders: Orders, payments: Payments) -> Iterator[Route]:
    yield Route("list_orders", "GET", "/api/orders", orders.browse)
    yield Route("create_order", "POST", "/api/orders", orders.create, Access.POS, Limit.ORDERS)
    yield Route("list_kitchen", "GET", "/api/orders/kitchen/active", orders.kitchen)
    yield Route("get_order", "GET", "/api/orders/{id}", orders.show)
    # No token: whoever knows the name of a tenant may move its orders.
    yield Route("set_status", "PUT", "/api/orders/{id}/status", orders.set_status)
    yield Route("record_payment", "PATCH", "/api/orders/{id}/payment", payments.record, Access.POS)
    yield Route("print_ticket", "POST", "/api/printers/print-ticket", orders.print_ticket)


def _payments(payments: Payments) -> Iterator[Route]:
    limit = Limit.PAYMENTS
    yield Route("pay_cash", "POST", "/api/payments/cash", payments.cash, Access.POS, limit)
    yield Route("pay_split", "POST", "/api/payments/split", payments.split, Access.POS, limit)
    yield Route("create_intent", "POST", "/api/payments/create-intent", payments.create_intent, Access.POS, limit)
    yield Route("refund", "POST", "/api/payments/refund", payments.refund, Access.REFUNDS, Limit.REFUNDS)
    yield Route("get_payment", "GET", "/api/payments/{order_id}", payments.show)


def _menu(menu: Menu, documented: bool) -> Iterator[Route]:
    yield Route("list_categories", "GET", "/api/menu/categories", menu.categories)
    yield Route("list_menu", "GET", "/api/menu/items", menu.items)
    yield Route("create_item", "POST", "/api/menu/items", menu.create, Access.MENU)
    yield Route("get_item", "GET", "/api/menu/items/{id}", menu.item)
    yield Route("update_item", "PUT", "/api/menu/items/{id}", menu.update, Access.MENU)
    yield Route("toggle_item", "PUT", "/api/menu/items/{id}/toggle", menu.toggle, Access.MENU)
    if documented:
        yield Route("delete_item", "DELETE", "/api/menu/items/{id}", menu.delete, Access.MENU)
    yield Route("list_modifiers", "GET", "/api/modifiers/groups", menu.modifier_groups)
    yield Route("list_modifiers", "GET", "/api/modifiers/groups/item/{menuItemId}", menu.modifier_groups)
    yield Route("list_combos", "GET", "/api/combos", menu.combos)


def _stock(stock: Stock) -> Iterator[Route]:
    yield Route("list_stock", "GET", "/api/inventory", stock.browse)
    yield Route("add_stock", "POST", "/api/inventory", stock.add, Access.STOCK)
    yield Route("deduct_stock", "POST", "/api/inventory/deduct", stock.deduct)
    yield Route("update_stock", "PUT", "/api/inventory/{id}", stock.update, Access.STOCK)


def _delivery(delivery: Delivery, documented: bool) -> Iterator[Route]:
    rules = "/api/delivery/markup-rules" if documented else "/api/delivery-intel/markup-rules"
    analytics = "/api/delivery-intelligence/pnl" if documented else "/api/delivery-intel/analytics"
    order, access = "/api/delivery/orders/{id}", Access.DELIVERY
    yield Route("list_platforms", "GET", "/api/delivery/platforms", delivery.platforms)
    yield Route("list_delivery_orders", "GET", "/api/delivery/orders", delivery.browse)
    yield Route("list_delivery_orders", "GET", "/api/delivery/orders/active", delivery.active)
    yield Route("set_delivery_status", "PUT", f"{order}/status", delivery.set_status, access, feature=DELIVERY)
    for word, (platform_status, status) in DECISIONS.items():
        decide = delivery.deciding(platform_status, status)
        yield Route(f"{word}_delivery", "POST", f"{order}/{word}", decide, access)
    yield Route("list_markup_rules", "GET", rules, delivery.markup_rules, access, feature=DELIVERY)
    yield Route("report_delivery", "GET", analytics, delivery.analytics, Access.REPORTS, feature=DELIVERY)


def _office(office: Office, documented: bool) -> Iterator[Route]:
    top_items = "/api/reports/items" if documented else "/api/reports/top-items"
    yield Route("list_employees", "GET", "/api/employees", office.employees)
    yield Route("create_employee", "POST", "/api/employees", office.add_employee)
    yield Route("report_sales", "GET", "/api/reports/sales", office.sales)
    yield Route("report_items", "GET", top_items, office.top_items)
    yield Route("list_customers", "GET", "/api/loyalty/customers", office.loyalty_customers, Access.LOYALTY)
    yield Route("get_loyalty", "GET", "/api/loyalty/config", office.loyalty_config, Access.LOYALTY)
    yield Route("get_branding", "GET", "/api/branding", office.branding)
    yield Route("update_branding", "PUT", "/api/branding", office.change_branding, Access.OWNER)


def _guests(guests: Guests) -> Iterator[Route]:
    status = "/api/customer-order/{id}/status"
    yield Route("create_guest_order", "POST", "/api/customer-order", guests.create, limit=Limit.GUEST_ORDERS)
    yield Route("get_guest_order", "GET", status, guests.status, limit=Limit.GUEST_STATUS)
