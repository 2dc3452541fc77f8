"""`openpos-hub reconcile`: our orders against the POS's and what channels last took."""

import argparse
import json

import msgspec

from hub.api.times import parse_moment
from hub.app import Hub
from hub.cli.commands import with_hub
from hub.services.reconcile import By


def reconcile(options: argparse.Namespace) -> int:
    """`reconcile`; 1 when something differs."""
    return with_hub(
        lambda hub: compare(hub, options.venue, options.since, options.until, by=options.by, as_json=options.json)
    )


async def compare(hub: Hub, slug: str, since: str, until: str, *, by: By = "creation", as_json: bool = False) -> int:
    """Prints the differences of a period; days are the venue's. 1 when there are some, or nobody could be asked."""
    venue = hub.directory.venue(slug)
    from_ms = parse_moment(since, "from", venue.timezone)
    to_ms = parse_moment(until, "to", venue.timezone)
    report = await hub.reconciler.check(venue, from_ms, to_ms, by=by, patient=True)
    if as_json:
        print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False, indent=2))
    else:
        compared = ", ".join(report.compared) or "nobody"
        print(f"{report.venue_slug}: {report.orders} orders compared with {compared}")
        for one in report.differences:
            print(f"{one.order}  {one.target}  {one.field}: {one.here} here, {one.there} there")
    return 1 if report.differences else 0
