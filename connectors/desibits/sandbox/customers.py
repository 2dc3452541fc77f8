"""The guests of the Desibits sandbox: those of the seed and those created since."""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from connectors.desibits.sandbox.answers import Asked, answer, iso, listing, refuse
from connectors.desibits.sandbox.book import Shop

Customer = dict[str, Any]


class Customers:
    """Searches, finds and creates customers."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def find(self, customer_id: int | None) -> Customer | None:
        """The customer with this id."""
        if customer_id is None:
            return None
        created: Customer | None = self._shop.ledger.find_document("customer", str(customer_id))
        return self._shop.catalogue.customers.get(customer_id, created)

    def ids(self) -> set[int]:
        """The ids of all customers."""
        return {customer["id"] for customer in self._all()}

    def browse(self, asked: Asked) -> web.Response:
        """`GET /customers?search=`: part of a name, of a phone number (digits alone count) or of an e-mail address."""
        search = asked.query("search")
        found = [customer for customer in self._all() if search is None or _fits(customer, search)]
        return listing(found, asked, self._shop.options)

    def show(self, asked: Asked) -> web.Response:
        """`GET /customers/{id}`."""
        customer = self.find(asked.id)
        if customer is None:
            raise refuse(404, "Customer not found")
        return answer(customer)

    def create(self, asked: Asked) -> web.Response:
        """`POST /customers` with `name`, `phone`, `email`; the same call twice makes two customers."""
        fields = asked.fields
        new = {
            "name": fields.text("name", required=True),
            "phone": fields.text("phone"),
            "email": fields.email("email"),
        }
        fields.finish()
        number = self._shop.next_id("customer", max(self._shop.catalogue.customers, default=0) + 1)
        customer = {"id": number, **new, "created_at": iso(self._shop.clock())}
        self._shop.ledger.put_document("customer", str(number), customer)
        return answer(customer, "Customer created successfully", status=201)

    def _all(self) -> list[Customer]:
        return [*self._shop.catalogue.customers.values(), *self._shop.ledger.load_documents("customer")]


def _fits(customer: Mapping[str, Any], search: str) -> bool:
    text, digits = search.strip().casefold(), re.sub(r"\D", "", search)
    in_words = any(text in (customer[name] or "").casefold() for name in ("name", "phone", "email"))
    return in_words or bool(digits and digits in re.sub(r"\D", "", customer["phone"] or ""))
