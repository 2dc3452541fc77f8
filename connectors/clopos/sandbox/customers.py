"""The guests of the Clopos sandbox: those of the seed and those created since."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from connectors.clopos.sandbox.answers import (
    Dialect,
    Refused,
    answer,
    filters_of,
    iso,
    list_answer,
    missing,
    page_of,
    sentence_refused,
)
from connectors.clopos.sandbox.auth import Caller
from connectors.clopos.sandbox.catalogue import Catalogue
from hub.contract.sandbox import Clock
from hub.contract.sandbox.ledger import Ledger

TEXT_FIELDS = ("email", "phone", "code", "cid", "description", "date_of_birth")
UNIQUE_FIELDS = ("phone", "code", "cid")
NEW_CUSTOMER: Mapping[str, Any] = {
    "phones": [],
    "address": None,
    "address_data": [],
    "discount": 0,
    "spent": 0,
    "total_discount": 0,
    "total_bonus": 0,
    "receipt_count": 0,
    "source": None,
    "reference_id": None,
    "status": True,
    "can_use_loyalty_system": False,
    "is_verified": False,
}


class Customers:
    """Lists, finds and creates customers."""

    def __init__(self, catalogue: Callable[[], Catalogue], ledger: Ledger, clock: Clock) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._clock = clock

    def find(self, customer_id: int) -> dict[str, Any] | None:
        """The customer with this id."""
        seeded = (one for one in self._catalogue().customers if one["id"] == customer_id)
        created: dict[str, Any] | None = self._ledger.find_document("customer", str(customer_id))
        return next(seeded, created)

    async def browse(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /customers` with the filters `name` (part of it), `phones`, `group_id`; `search` does nothing."""
        page = page_of(request, caller.dialect, maximum=100 if caller.dialect is Dialect.V1 else 999)
        wanted = filters_of(request, caller.dialect)
        rows = [one for one in self._all() if _fits(one, wanted)]
        shown = rows[page.offset : page.offset + page.limit]
        return list_answer(shown, len(rows), page, self._clock(), paginated=caller.dialect is Dialect.V1)

    async def show(self, request: web.Request, caller: Caller) -> web.Response:
        """`GET /customers/{id}`."""
        customer = self.find(int(request.match_info["id"]))
        if customer is None:
            raise missing(caller.dialect, "Customer")
        return answer(customer, self._clock())

    def create(self, body: Any, caller: Caller) -> web.Response:
        """`POST /customers`; raises `Refused`: 400 for a field, 409 for a phone, code or cid in use."""
        fields = self._checked(body)
        now = self._clock()
        customer = {
            "id": max(one["id"] for one in self._all()) + 1,
            "venue_id": caller.venue_id,
            **NEW_CUSTOMER,
            "group_id": fields.get("group_id"),
            "name": fields["name"],
            "gender": fields.get("gender"),
            **{name: fields.get(name) for name in TEXT_FIELDS},
            "created_at": iso(now),
            "updated_at": iso(now),
        }
        if customer["cid"] is None:
            customer["cid"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"customer {customer['id']}"))
        self._ledger.put_document("customer", str(customer["id"]), customer)
        return answer(customer, now, status=201 if caller.dialect is Dialect.V1 else 200)

    def _all(self) -> list[dict[str, Any]]:
        return self._catalogue().customers + self._ledger.load_documents("customer")

    def _checked(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"].strip():
            raise _invalid("The name field is required.")
        for name in TEXT_FIELDS:
            if not isinstance(body.get(name), str | None):
                raise _invalid(f"The {name} field must be a string.")
        if body.get("gender") not in (1, 2, None):
            raise _invalid("The gender field must be 1, 2 or null.")
        if body.get("cid") is not None and not _is_uuid(body["cid"]):
            raise _invalid("The cid field must be a UUID.")
        groups = {group["id"] for group in self._catalogue().customer_groups}
        if body.get("group_id") is not None and body["group_id"] not in groups:
            raise _invalid("The group_id field must be an existing customer group.")
        for name in UNIQUE_FIELDS:
            if body.get(name) is not None and any(one[name] == body[name] for one in self._all()):
                what = "phone number" if name == "phone" else name
                message = f"Customer with this {what} already exists"
                raise sentence_refused(409, message, f"duplicate_{name}")
        return body


def _invalid(sentence: str) -> Refused:
    return sentence_refused(400, "Validation failed", sentence)


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def _fits(customer: Mapping[str, Any], wanted: Mapping[str, list[str]]) -> bool:
    name, phones, group = wanted.get("name"), wanted.get("phones"), wanted.get("group_id")
    if name and not any(part.casefold() in customer["name"].casefold() for part in name):
        return False
    if group and str(customer["group_id"]) not in group:
        return False
    if not phones:
        return True
    own = [_digits(phone) for phone in (customer["phone"], *customer["phones"]) if phone]
    return any(_digits(part) in phone for part in phones if _digits(part) for phone in own)


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", phone)
