"""A guest of a venue: who they are, how they are recognised again, and what their visits add up to."""

import unicodedata

from msgspec import Struct

from hub.model.order import Customer, Order
from hub.model.status import PaymentStatus, Stage, Status

_PLAIN = str.maketrans("əıøłđ", "eiold")  # letters of their own, which people type without knowing how
_FEWEST_DIGITS = 5
_FEWEST_NATIONAL_DIGITS = 7
_COUNTRY_CODE_DIGITS = (1, 2, 3)  # ITU-T E.164: a country code has one to three digits
_NO_EFFECT = (Stage.REJECTED, Stage.CANCELLED)


class Guest(Struct, frozen=True, kw_only=True):
    """A guest as one venue knows them. Amounts are minor units of the venue's currency.

    The figures count every order since the guest is known, also those whose time in the archive is over.
    """

    id: str
    venue_id: str
    name: str
    phone: str
    email: str
    marketing_consent: bool
    """Whether the guest agreed to be written to for advertising; nobody is in an audience without it."""
    consent_at_ms: int | None
    """When the consent was given or taken back."""
    consent_by: str
    """Who noted it."""
    version: int
    orders: int
    """Orders that were not cancelled or rejected."""
    spend_cents: int
    """What was paid, or closed without being cancelled; refunds taken off."""
    first_order_at_ms: int | None
    last_order_at_ms: int | None
    told_at_ms: int
    """When name, phone and e-mail address were last told."""
    created_at_ms: int
    updated_at_ms: int


class VisitFacts(Struct, frozen=True, kw_only=True):
    """What one order adds to its guest's figures."""

    at_ms: int
    counts: bool
    spend_cents: int


def visit_facts(order: Order) -> VisitFacts:
    """What an order adds: nothing when it came to nothing; money once it is paid or closed."""
    counts = order.status is not Status.VOID and order.stage not in _NO_EFFECT
    is_paid = order.payment_status is PaymentStatus.PAID
    is_closed = order.status is Status.CLOSED and order.stage is not Stage.EXPIRED
    spend_cents = 0
    if counts and (is_paid or is_closed) and order.payment_status is not PaymentStatus.REFUNDED:
        refunded = sum(payment.refunded_cents for check in order.checks for payment in check.payments)
        spend_cents = max(order.totals.total_cents - refunded, 0)
    return VisitFacts(at_ms=order.created_at_ms, counts=counts, spend_cents=spend_cents)


class Identity(Struct, frozen=True):
    """How a guest is recognised. A guest is the same who has one of the `wanted` keys, the earlier ones first;
    `own` are the keys by which they are found from then on."""

    wanted: tuple[str, ...]
    own: tuple[str, ...]


def identity_of(customer: Customer) -> Identity:
    """By phone number, then by e-mail address; empty for a guest who gave neither: names alone say nothing.

    A number with its country code and the same number without it are one: `+994 50 123 45 67` and `050 123 45 67`.
    """
    wanted: list[str] = []
    own: list[str] = []
    digits, is_international = phone_digits(customer.phone)
    if len(digits) >= _FEWEST_DIGITS and is_international:
        guesses = [digits[length:].lstrip("0") for length in _COUNTRY_CODE_DIGITS]
        guesses = [guess for guess in guesses if len(guess) >= _FEWEST_NATIONAL_DIGITS]
        wanted += [f"tel:+{digits}", *(f"tel:{guess}" for guess in guesses)]
        own += [f"tel:+{digits}", *(f"tel~{guess}" for guess in guesses)]
    elif len(digits) >= _FEWEST_DIGITS:
        wanted += [f"tel:{digits}"] + ([f"tel~{digits}"] if len(digits) >= _FEWEST_NATIONAL_DIGITS else [])
        own += [f"tel:{digits}"]
    email = customer.email.strip().casefold()
    if "@" in email:
        wanted.append(f"mail:{email}")
        own.append(f"mail:{email}")
    return Identity(tuple(wanted), tuple(own))


def phone_digits(phone: str) -> tuple[str, bool]:
    """The digits of a phone number up to any extension, and whether they begin with the country code.

    Zeros before a national number are left out: they are dialled, not part of it.
    """
    head: list[str] = []
    for letter in unicodedata.normalize("NFKC", phone).strip():
        if letter.isalpha() and any(entry.isdecimal() for entry in head):
            break
        head.append(letter)
    digits = "".join(str(int(letter)) for letter in head if letter.isdecimal())
    if "".join(head).lstrip(" (").startswith("+"):
        return digits.lstrip("0"), True
    if digits.startswith("00"):
        return digits[2:], True
    return digits.lstrip("0"), False


def fold(text: str) -> str:
    """Text as people mean it: without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_text(name: str, phone: str, email: str) -> str:
    """What a search for a guest looks at: name and e-mail address folded, and the digits of the phone number."""
    digits, _ = phone_digits(phone)
    return f"{fold(name)}\n{fold(email)}\n{digits}"


def search_words(query: str) -> tuple[str, ...]:
    """The parts of a query, each of which must occur: words folded, or the digits of a phone number."""
    if any(letter.isdecimal() for letter in query) and not any(letter.isalpha() or letter == "@" for letter in query):
        return (phone_digits(query)[0],)
    return tuple(dict.fromkeys(fold(query).split()))


def newest(told: str, kept: str, *, is_newer: bool) -> str:
    """What to keep of one field of a profile: what was told last, and never nothing in place of something."""
    return told.strip() if told.strip() and (is_newer or not kept) else kept
