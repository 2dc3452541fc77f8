"""`openpos-hub guests …` and `campaigns …`: finding and forgetting guests, and writing to whom a message may go."""

import argparse
import csv
import sys

from hub.api.views import timestamp
from hub.app import Hub
from hub.cli.commands import with_hub
from hub.cli.order_table import cell
from hub.cli.orders import new_text_file
from hub.model.money import Money, display

_CLI = "command line"
_STDOUT = "-"
_AT_MOST = 200


def find(options: argparse.Namespace) -> int:
    """`guests find`"""
    return with_hub(lambda hub: find_guests(hub, options.query, store=options.store or ""))


async def find_guests(hub: Hub, query: str, *, store: str = "") -> int:
    """Lists guests of a venue, or of all of them."""
    venue_id = hub.directory.venue(store).id if store else ""
    page = await hub.front.guests.page(venue_id, query=query, limit=_AT_MOST)
    for guest in page.guests:
        venue = hub.directory.venue(guest.venue_id)
        spent = display(Money(guest.spend_cents, venue.currency))
        last = timestamp(guest.last_order_at_ms) or "never"
        print(f"{guest.id}  {venue.slug}  {guest.name}  {guest.phone}  {guest.email}")
        print(f"  {guest.orders} orders, {spent}, last {last}; may be written to: {_yes(guest.marketing_consent)}")
    print(f"{len(page.guests)} found" + (f" (the newest {_AT_MOST})" if page.next else ""))
    return 0


def forget(options: argparse.Namespace) -> int:
    """`guests forget`"""
    return with_hub(lambda hub: forget_guest(hub, options.customer))


async def forget_guest(hub: Hub, customer: str) -> int:
    """Forgets a guest; says what names nobody any more, and what stays and why."""
    guest = await hub.front.guests.load(customer)
    done = await hub.front.guests.forget(guest, actor=_CLI)
    print(f"forgotten: {len(done.orders)} orders and {done.bookings} bookings name nobody any more")
    if done.held:
        print(f"under a legal hold, as they were: {', '.join(done.held)}")
    print("kept: what was ordered and paid, for the books; what a POS or channel was sent is theirs to delete")
    return 0


def audience(options: argparse.Namespace) -> int:
    """`campaigns audience`"""

    async def run(hub: Hub) -> int:
        campaign = await hub.front.campaigns.load(options.campaign)
        written = 0
        with new_text_file(options.file) as out:
            rows = csv.writer(out)
            rows.writerow(("customer_id", "name", "phone", "email"))
            async for guest in hub.front.campaigns.whole_audience(campaign):
                rows.writerow([cell(value) for value in (guest.id, guest.name, guest.phone, guest.email)])
                written += 1
        where = "standard output" if options.file == _STDOUT else options.file
        print(f"{written} guests written to {where}", file=sys.stderr)
        return 0

    return with_hub(run)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
