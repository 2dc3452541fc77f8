"""The delivery calls of the Desibits sandbox. The page names them and shows no field and no word; these are ours."""

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, refuse
from connectors.desibits.sandbox.book import Shop, require_open
from connectors.desibits.sandbox.order_view import view_head
from hub.contract.sandbox.ledger import LedgerOrder

STATUSES = ("pending", "preparing", "ready_for_pickup", "out_for_delivery", "delivered")


class Delivery:
    """Gives an order a driver and follows it to the door."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def assign(self, asked: Asked) -> web.Response:
        """`POST /orders/{id}/assign-driver` with `driver_id`."""
        order = self._delivered(asked)
        drivers = self._shop.catalogue.drivers
        number = asked.fields.one_of("driver_id", drivers, required=True)
        asked.fields.finish()
        assert number is not None
        require_open(order)
        driver = drivers[number]
        if driver["status"] == "inactive":
            raise refuse(409, f"Driver {driver['name']} is not working")
        saved = self._shop.save(order, delivery_driver_id=number)
        shown = {name: driver[name] for name in ("id", "name", "phone")}
        return answer({**view_head(saved, self._shop), "delivery_driver": shown}, "Driver assigned successfully")

    def set_status(self, asked: Asked) -> web.Response:
        """`PUT /orders/{id}/delivery-status` with `status`; an order that is paid may still be on its way."""
        order = self._delivered(asked)
        status = asked.fields.one_of("status", STATUSES, required=True)
        asked.fields.finish()
        if order.status == "cancelled":
            raise refuse(409, "Order is already cancelled")
        saved = self._shop.save(order, delivery_status=status)
        return answer({**view_head(saved, self._shop), "delivery_status": status}, "Delivery status updated")

    def _delivered(self, asked: Asked) -> LedgerOrder:
        order = self._shop.order_of(asked)
        if not self._shop.catalogue.is_delivery(order.record["order_type_id"]):
            raise refuse(409, "Order is not a delivery")
        return order
