"""`openpos-hub …`: parses arguments, calls one function, prints."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from hub.errors import HubError
from hub.model.webhook import DeliveryState, EventType

_READER_IS_GONE = 141  # as a shell counts an end by SIGPIPE
_STATUSES = ("accepted", "preparing", "ready", "out_for_delivery", "served", "completed")
ORDER_FILTERS = {
    "status": ("WORD", "open, closed, void, or how far it is: received, accepted, ready, …"),
    "from": ("TIME", "made at or after this time, e.g. 2026-02-09T19:30:00+04:00"),
    "to": ("TIME", "made before this time"),
    "closed-from": ("TIME", "closed at or after this time"),
    "closed-to": ("TIME", "closed before this time"),
    "table": ("TABLE", "at this table"),
    "number": ("NUMBER", "with this number, e.g. DT-001"),
    "ref": ("ID", "with this id at the POS (order, receipt, check or ticket)"),
    "external-id": ("ID", "with this number at its sender"),
    "guest": ("WORDS", "part of the guest's name or e-mail address, or four digits of the phone number"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit status (0 done, 1 failed, 2 wrong usage, 141 nobody reads on)."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    for chatty in ("httpx", "apscheduler", "alembic", "asyncio", "mcp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        status = _run(options)
        sys.stdout.flush()  # what waits there may meet a reader that is gone
        return status
    except BrokenPipeError:
        _give_up_output()
        return _READER_IS_GONE
    except HubError as problem:
        print(f"openpos-hub: {problem.for_operator}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Runs `module.function` of this package, imported only now: what one command needs, others need not wait for."""
    module, _, function = options.run.partition(".")
    gc.disable()  # all that is imported stays; looking for garbage in it takes a sixth of the time
    command = getattr(import_module(f"hub.cli.{module}"), function)
    gc.enable()
    status: int = command(options)
    return status


def _give_up_output() -> None:
    """Lets the interpreter's last flush go nowhere, since it would complain once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def build_parser() -> argparse.ArgumentParser:
    """All commands with their help."""
    parser = argparse.ArgumentParser(
        prog="openpos-hub",
        description="One order model between reservation systems, delivery platforms, AI agents and a POS.",
        epilog="Settings come from the environment: OPENPOS_DATA, OPENPOS_DATABASE_URL, … (see docs/configuration.md).",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")
    add = parser.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser

    serve = add("serve", help="run the hub: API, delivery and jobs")
    _address(serve)
    serve.add_argument("--no-delivery", action="store_true", help="API only; `worker` processes deliver (PostgreSQL)")
    serve.add_argument("--tls-cert", metavar="FILE", help="certificate chain, to serve HTTPS directly")
    serve.add_argument("--tls-key", metavar="FILE", help="its private key")
    serve.set_defaults(run="commands.serve")

    worker = add("worker", help="delivery and jobs without the API, beside other processes (PostgreSQL)")
    worker.set_defaults(run="commands.worker")

    migrate = add("migrate", help="bring the database to the newest schema")
    migrate.set_defaults(run="commands.migrate_database")

    apply = add("apply", help="make venues, links, menus and keys as declared in a file")
    apply.add_argument("file", metavar="FILE.toml")
    apply.add_argument("--no-sync", action="store_true", help="do not read menus from the POS now")
    apply.set_defaults(run="commands.apply_file")

    doctor = add("doctor", help="try the database, the clock and every link with its secrets; changes nothing")
    doctor.set_defaults(run="commands.doctor")

    trace = add("trace", help="everything that happened to an order: changes, deliveries, calls")
    trace.add_argument("order", metavar="ORDER", help="order id or number, e.g. DT-001")
    trace.add_argument("--bodies", action="store_true", help="show request and answer bodies too")
    trace.add_argument("--reads", action="store_true", help="show every call that only read the order, too")
    trace.add_argument("--json", action="store_true", help="print JSON")
    trace.set_defaults(run="commands.trace")

    stuck = add("stuck", help="list what waits for a person: deliveries, and items a POS refused to mark")
    stuck.set_defaults(run="commands.stuck")

    deliver = add("deliver", help="deliver what waits for a person: an order, or an item's state")
    deliver.add_argument("order", metavar="ORDER", help="order id or number, VENUE/ITEM, or `all` that waits")
    how = deliver.add_mutually_exclusive_group()
    how.add_argument("--done", action="store_true", help="it is in the POS already, brought there by hand")
    how.add_argument("--force", action="store_true", help="send without looking first: it is surely not in the POS")
    deliver.set_defaults(run="commands.deliver")

    _changes(add)
    _proofs(add)

    backup = add("backup", help="copy the embedded database safely, also while the hub runs")
    backup.add_argument("folder", metavar="FOLDER", help="where the copy goes; made if missing, must be empty")
    backup.set_defaults(run="commands.backup")

    _guests(add("guests", help="find a store's guests, and forget one who asks for it"))
    _campaigns(add("campaigns", help="write to whom a campaign's message may go"))
    _tables(add("tables", help="list a venue's tables, and say which table a name means"))
    _orders(add("orders", help="find, export, hold and prove orders; delete those whose time is over"))
    _webhooks(add("webhooks", help="make webhooks, read their log, send events once more"))
    _keys(add("keys", help="make, list and revoke API keys"))
    _secrets(add("secrets", help="store, list, remove and re-encrypt secrets that declarations refer to"))
    _link(add("link", help="pause, resume or sync a venue's link to its POS"))

    sandbox = add("sandbox", help="run a vendor's stand-in, for trying things out")
    sandbox.add_argument("vendor", metavar="VENDOR", help="an installed connector")
    _address(sandbox, default_port=8001)
    sandbox.add_argument("--state", metavar="FILE", help="keep its orders in this file (default: in memory)")
    sandbox.add_argument("--accept-after", type=float, metavar="SECONDS", help="accept new orders by itself")
    sandbox.add_argument("--hub", metavar="URL", help="where the hub answers, for a vendor that calls it")
    sandbox.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    sandbox.set_defaults(run="sandbox.run")

    demo = add("demo", help="the hub with demo venues, each beside its vendor's sandbox")
    _address(demo)
    demo.set_defaults(run="commands.demo")
    return parser


def _changes(add: Callable[..., argparse.ArgumentParser]) -> None:
    """What people do to single orders, and to what they are made from."""
    cancel = add("cancel", help="cancel an order; what the POS has, once the POS agrees")
    cancel.add_argument("order", metavar="ORDER", help="order id or number, e.g. DT-001")
    cancel.add_argument("--reason", required=True, help="why; the POS is told so where it takes a reason")
    cancel.set_defaults(run="commands.cancel")

    status = add("status", help="move an order on, e.g. to ready or completed")
    status.add_argument("order", metavar="ORDER", help="order id or number, e.g. DT-001")
    status.add_argument("status", metavar="STATUS", choices=_STATUSES, help=", ".join(_STATUSES))
    status.set_defaults(run="commands.set_status")

    for name, words, run in (
        ("86", "mark an item as sold out, here and at a POS that can be told", "commands.sold_out"),
        ("un86", "mark an item as back in stock", "commands.back_in_stock"),
    ):
        stock = add(name, help=words)
        stock.add_argument("venue", metavar="VENUE", help="venue slug or id")
        stock.add_argument("item", metavar="ITEM", help="item id, or its name where only one has it")
        stock.set_defaults(run=run)

    fidelity = add("fidelity", help="what arrived of an order at its POS: kept, flattened, rounded or lost")
    fidelity.add_argument("order", metavar="ORDER", help="order id or number, e.g. DT-001")
    fidelity.add_argument("--json", action="store_true", help="print JSON")
    fidelity.set_defaults(run="commands.fidelity")

    drift = add("drift", help="what will fail because a store and its POS differ; exit status 1 if something will")
    drift.add_argument("venue", metavar="VENUE", nargs="?", help="venue slug or id; all venues without one")
    drift.add_argument("--json", action="store_true", help="print JSON")
    drift.set_defaults(run="commands.drift")


def _proofs(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Showing that the hub, the POS and the channels agree."""
    proof = add("accredit", help="play what a partner checks before going live, with test orders, and report it")
    proof.add_argument("link", metavar="LINK", help="CONNECTOR/VENUE, a venue's slug, or a connector: all its links")
    proof.add_argument("--hub", default="http://127.0.0.1:8000", metavar="URL", help="the running hub (%(default)s)")
    proof.add_argument("--item", metavar="ITEM", help="item id or name to order (default: the cheapest)")
    proof.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for each delivery (%(default)s)")
    proof.add_argument("--report", metavar="FILE", help="write the report there, as Markdown")
    proof.add_argument("--json", action="store_true", help="print the report as JSON")
    proof.add_argument("--yes", action="store_true", help="yes, open orders at a real venue")
    proof.set_defaults(run="accredit.accredit")

    reconcile = add("reconcile", help="compare orders with the POS and the channels; exit status 1 if they differ")
    reconcile.add_argument("venue", metavar="VENUE", help="venue slug or id")
    reconcile.add_argument("--from", dest="since", required=True, metavar="TIME", help="at or after this time or day")
    reconcile.add_argument("--to", dest="until", required=True, metavar="TIME", help="before this time or day")
    reconcile.add_argument("--by", choices=("creation", "closing"), default="creation", help="which time counts")
    reconcile.add_argument("--json", action="store_true", help="print JSON")
    reconcile.set_defaults(run="reconciling.reconcile")


def _address(parser: argparse.ArgumentParser, default_port: int = 8000) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=_whole(0, 65535), default=default_port, help="port to listen on (default %(default)s)"
    )


def _limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=_whole(1, 1_000_000), default=50, metavar="N", help="show at most N (default %(default)s)"
    )


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Reads a whole number of this range; argparse names the option when it is none."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = lowest - 1
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {lowest} to {highest}")
        return number

    return read


def _guests(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    find = add("find", help="list guests by name, phone number or e-mail address, newest first")
    find.add_argument("query", metavar="WORDS", nargs="?", default="", help="what to look for (default: all)")
    find.add_argument("--store", metavar="SLUG", help="of this store only")
    find.set_defaults(run="guests.find")
    forget = add("forget", help="take a guest's name and addresses out of the hub, on their request")
    forget.add_argument("customer", metavar="CUSTOMER", help="the guest's id (cust_…)")
    forget.set_defaults(run="guests.forget")


def _campaigns(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    audience = add("audience", help="write the guests a campaign may reach to a file, as CSV")
    audience.add_argument("campaign", metavar="CAMPAIGN", help="the campaign's id (camp_…)")
    audience.add_argument("file", metavar="FILE", help="a new file; - for standard output")
    audience.set_defaults(run="guests.audience")


def _tables(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    listed = add("list", help="list a venue's tables and who sits there")
    listed.add_argument("venue", metavar="VENUE", help="venue slug")
    listed.set_defaults(run="tables.list_tables")
    unmatched = add("unmatched", help="list the names of tables that nobody knows")
    unmatched.add_argument("venue", metavar="VENUE", nargs="?", help="venue slug; all venues without it")
    unmatched.set_defaults(run="tables.unmatched")
    mapped = add("map", help="say which table a name means, for now and later")
    mapped.add_argument("venue", metavar="VENUE", help="venue slug")
    mapped.add_argument("name", metavar="NAME", help='the name as it came, e.g. "Terrace 4"')
    mapped.add_argument("table", metavar="TABLE", help="the table it means, e.g. T4")
    mapped.set_defaults(run="tables.map_name")


def _orders(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser

    find = add("find", help="list orders, open and closed, newest first")
    _filters(find)
    _limit(find)
    find.set_defaults(run="orders.find")

    export = add("export", help="write orders to a file, as JSON lines or CSV")
    export.add_argument("file", metavar="FILE", help="a new file; - for standard output")
    _filters(export)
    export.add_argument("--format", choices=("jsonl", "csv"), help="default: csv for FILE.csv, else jsonl")
    export.set_defaults(run="orders.export")

    hold = add("hold", help="keep an order from being deleted (legal hold)")
    hold.add_argument("order", metavar="ORDER", help="order id or number")
    hold.add_argument("--reason", required=True, metavar="WORDS", help="why, e.g. the number of a case")
    hold.set_defaults(run="orders.hold")

    release = add("release", help="end an order's legal hold")
    release.add_argument("order", metavar="ORDER", help="order id or number")
    release.set_defaults(run="orders.release")

    evidence = add("evidence", help="write all that is known of an order into one file that can be checked later")
    evidence.add_argument("order", metavar="ORDER", help="order id or number")
    evidence.add_argument("file", metavar="FILE", help="a new zip file; - for standard output")
    evidence.set_defaults(run="orders.evidence")

    verify = add("verify", help="check evidence, without a database")
    verify.add_argument("file", metavar="FILE")
    verify.add_argument("--root", default="", metavar="HASH", help="the root hash that was noted when it was made")
    verify.set_defaults(run="orders.verify")

    purge = add("purge", help="delete now what the schedule would delete: orders closed 45 days ago and their traces")
    purge.set_defaults(run="orders.purge")


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="SLUG", help="of this store only")
    for name, (value, words) in ORDER_FILTERS.items():
        parser.add_argument(f"--{name}", metavar=value, help=words)
    parser.add_argument("--held", action="store_true", help="only orders under a legal hold")


def _webhooks(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    add("list", help="list the webhooks of all keys").set_defaults(run="webhooks.list_webhooks")
    create = add("create", help="tell an address what happens; shows the secret once")
    create.add_argument("url", metavar="URL", help="where events are sent, https://…")
    create.add_argument("--key", required=True, metavar="NAME", help="the API key it is for: what it reads is told")
    create.add_argument("--venue", metavar="SLUG", help="events of this venue only (default: all of the key)")
    kinds = ", ".join(EventType)
    create.add_argument(
        "--event", action="append", choices=list(EventType), default=[], metavar="EVENT", help=f"only these: {kinds}"
    )
    create.set_defaults(run="webhooks.create_webhook")
    log = _of_one(add, "log", "list what was sent to a webhook, the newest events first")
    log.add_argument("--state", choices=list(DeliveryState), help="only events in this state")
    _limit(log)
    log.set_defaults(run="webhooks.show_log")
    replay = _of_one(add, "replay", "send events once more, under the ids they had")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("--event", metavar="ID", help="one event, by its webhook-id")
    which.add_argument("--from", dest="begins", metavar="TIME", help="what happened since then, e.g. 2026-02-09T12:00Z")
    replay.add_argument("--to", dest="ends", metavar="TIME", help="and before then (default: now)")
    replay.add_argument("--dry-run", action="store_true", help="only count")
    replay.set_defaults(run="webhooks.send_again")
    _of_one(add, "rotate", "make a new secret; the old one signs as well for a day").set_defaults(run="webhooks.rotate")
    _of_one(add, "enable", "switch a webhook on again").set_defaults(run="webhooks.switch")
    _of_one(add, "disable", "send nothing to a webhook").set_defaults(run="webhooks.switch")
    _of_one(add, "delete", "delete a webhook with its log").set_defaults(run="webhooks.delete")


def _of_one(add: Callable[..., argparse.ArgumentParser], name: str, words: str) -> argparse.ArgumentParser:
    command = add(name, help=words)
    command.add_argument("webhook", metavar="WEBHOOK", help="its id, see `webhooks list`")
    return command


def _keys(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    create = add("create", help="make a key and show it once")
    create.add_argument("name", help="who it is for")
    may = create.add_mutually_exclusive_group()
    may.add_argument("--access", choices=("read-only", "read-write"), help="what it may do (default: read-only)")
    may.add_argument("--scope", action="append", default=[], metavar="SCOPE", help="one scope; may be repeated")
    create.add_argument("--venue", metavar="SLUG", help="bind the key to one venue")
    create.add_argument("--per-minute", type=int, metavar="N", help="requests in a minute (default: the hub's limit)")
    create.add_argument("--per-day", type=int, metavar="N", help="requests in a day (default: the hub's limit)")
    create.set_defaults(run="commands.create_key")
    add("list", help="list the keys").set_defaults(run="commands.list_keys")
    revoke = add("revoke", help="end a key")
    revoke.add_argument("name")
    revoke.set_defaults(run="commands.revoke_key")


def _secrets(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    stored = add("set", help="store a secret; its value is asked for, or read from a pipe")
    stored.add_argument("name", metavar="NAME", help="as `env:NAME` refers to it")
    stored.set_defaults(run="secrets.set_secret")
    add("list", help="list the names").set_defaults(run="secrets.list_secrets")
    removed = add("remove", help="forget a secret")
    removed.add_argument("name", metavar="NAME")
    removed.set_defaults(run="secrets.remove_secret")
    add("rotate", help="encrypt everything with the newest key").set_defaults(run="secrets.rotate")


def _link(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    for action, words in (
        ("sync", "read menu and codes from the POS now"),
        ("pause", "send nothing to this POS"),
        ("resume", "send again"),
    ):
        command = add(action, help=words)
        command.add_argument("link", metavar="LINK", help="link id or venue slug")
        command.set_defaults(run="commands.link")
