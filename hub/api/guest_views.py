"""How guests and their bookings look from outside."""

from collections.abc import Sequence
from typing import Any

from hub.api.views import local_timestamp, money, timestamp
from hub.model.booking import Reservation
from hub.model.guest import Guest
from hub.model.order import Customer
from hub.model.venue import Venue
from hub.services.booking_rules import Clash
from hub.services.directory import Directory


def guest_view(guest: Guest, same_people: Sequence[Guest], directory: Directory) -> dict[str, Any]:
    """A guest of the hub's book; `same_people` are those of all stores the caller may see."""
    venue = directory.venue(guest.venue_id)
    return {
        "id": guest.id,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "name": guest.name,
        "phone": guest.phone or None,
        "email": guest.email or None,
        "marketingConsent": guest.marketing_consent,
        "consentChangedAt": timestamp(guest.consent_at_ms),
        "consentNotedBy": guest.consent_by or None,
        **_figures(guest, venue),
        "stores": [
            {
                "customerId": other.id,
                "storeSlug": directory.venue(other.venue_id).slug,
                "locationId": other.venue_id,
                **_figures(other, directory.venue(other.venue_id)),
            }
            for other in same_people
        ],
        "sources": ["hub"],
        "posCustomerId": None,
        "version": guest.version,
        "createdAt": timestamp(guest.created_at_ms),
        "updatedAt": timestamp(guest.updated_at_ms),
    }


def pos_guest_view(pos_id: str, customer: Customer, venue: Venue) -> dict[str, Any]:
    """A guest whom only the POS knows: without figures, and nothing of them is kept."""
    return {
        "id": None,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "name": customer.name,
        "phone": customer.phone or None,
        "email": customer.email or None,
        "marketingConsent": False,
        "orderCount": None,
        "spend": None,
        "firstOrderAt": None,
        "lastOrderAt": None,
        "stores": [],
        "sources": ["pos"],
        "posCustomerId": pos_id,
    }


def reservation_view(reservation: Reservation, venue: Venue) -> dict[str, Any]:
    """A reservation with its times in UTC and in the store's zone."""
    return {
        "id": reservation.id,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "status": reservation.status,
        "customerId": reservation.guest_id or None,
        "customer": who_view(reservation.customer),
        "partySize": reservation.party_size,
        "startsAt": timestamp(reservation.starts_at_ms),
        "endsAt": timestamp(reservation.ends_at_ms),
        "startsAtLocal": local_timestamp(reservation.starts_at_ms, venue.timezone),
        "endsAtLocal": local_timestamp(reservation.ends_at_ms, venue.timezone),
        "timezone": venue.timezone,
        "tables": list(reservation.tables),
        "notes": reservation.note,
        "reason": reservation.reason or None,
        "source": reservation.source,
        "externalId": reservation.external_id or None,
        "orderId": reservation.order_id or None,
        "version": reservation.version,
        "createdAt": timestamp(reservation.created_at_ms),
        "updatedAt": timestamp(reservation.updated_at_ms),
    }


def who_view(customer: Customer | None) -> dict[str, Any] | None:
    """The guest as a booking names them."""
    if customer is None:
        return None
    return {"name": customer.name, "phone": customer.phone or None, "email": customer.email or None}


def clash_views(clashes: Sequence[Clash]) -> list[dict[str, Any]]:
    """What speaks against a booking."""
    return [{"code": clash.code, "message": clash.message, "field": clash.field} for clash in clashes]


def _figures(guest: Guest, venue: Venue) -> dict[str, Any]:
    return {
        "orderCount": guest.orders,
        "spend": money(guest.spend_cents, venue.currency),
        "firstOrderAt": timestamp(guest.first_order_at_ms),
        "lastOrderAt": timestamp(guest.last_order_at_ms),
    }
