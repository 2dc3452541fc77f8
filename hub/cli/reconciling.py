"""`openpos-hub reconcile`: our orders against the POS's and what channels last took."""

import argparse
import json

import msgspec

from hub.api.times import parse_timestamp
from hub.app import Hub
from hub.cli.commands import with_hub


def reconcile(options: argparse.Namespace) -> int:
    """`reconcile`; 1 when something differs."""

    async def run(hub: Hub) -> int:
        from_ms, to_ms = parse_timestamp(options.since, "from"), parse_timestamp(options.until, "to")
        assert from_ms is not None  # both are required arguments
        assert to_ms is not None
        report = await hub.reconciler.check(hub.directory.venue(options.venue), from_ms, to_ms)
        if options.json:
            print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False, indent=2))
        else:
            compared = ", ".join(report.compared) or "nobody"
            print(f"{report.venue_slug}: {report.orders} orders compared with {compared}")
            for one in report.differences:
                print(f"{one.order}  {one.target}  {one.field}: {one.here} here, {one.there} there")
        return 1 if report.differences else 0

    return with_hub(run)
