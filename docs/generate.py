"""Writes the blocks of the documentation that the code knows best: connectors, commands, causes; run by `make docs`.

A block stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. With `--check` nothing is written and
the exit status says whether every block is current.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from hub.api.operations import OPERATIONS
from hub.api.tools import bind
from hub.cli import build_parser
from hub.contract.base import Capability, PosConnector
from hub.contract.channel import ChannelConnector
from hub.contract.registry import Registration, installed_connectors
from hub.contract.writes import CHANNEL_OPERATIONS, Operation, Replay, WriteRule
from hub.model.causes import CAUSES

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)
_ABILITIES = {
    Capability.FIND_ORDER: "Find an order again by the hub's mark",
    Capability.LIST_ORDERS: "List orders, so that one call polls many",
    Capability.CANCEL_ORDER: "Cancel an order",
    Capability.SET_STAGE: "Move an order on (preparing, ready, …)",
    Capability.ADD_LINES: "Add a further round to an order",
    Capability.FETCH_MENU: "Read the menu",
    Capability.FETCH_ITEM_IDS: "Tell which item ids exist, without a menu",
    Capability.FETCH_CODES: "Read the venue's own codes",
    Capability.SET_ITEM_AVAILABILITY: "Mark an item as sold out (86)",
    Capability.SAVE_MENU_ITEM: "Add or change an item of the menu",
    Capability.FETCH_TABLES: "List the tables",
    Capability.FETCH_TABLE: "Show one table",
    Capability.SET_TABLE_STATUS: "Mark a table as free or taken",
    Capability.SEND_TO_KITCHEN: "Send to the kitchen as a step of its own",
    Capability.FETCH_KITCHENS: "List the kitchens",
    Capability.SET_TICKET_STATE: "Move a kitchen ticket on",
    Capability.PRINT_TICKET: "Print a kitchen ticket, also again",
    Capability.PRINT_BILL: "Print the guest's bill or invoice",
    Capability.FETCH_PRINTERS: "List the printers",
    Capability.RECORD_PAYMENT: "Record payments, also split",
    Capability.REFUND_PAYMENT: "Refund",
    Capability.FETCH_PAYMENT_METHODS: "List the payment methods",
    Capability.FETCH_PAYMENT_STATE: "Tell what is paid",
    Capability.APPLY_DISCOUNT: "Give a discount afterwards",
    Capability.FETCH_COUPONS: "List coupons",
    Capability.VALIDATE_COUPON: "Check a coupon",
    Capability.SEARCH_CUSTOMERS: "Search guests",
    Capability.FETCH_CUSTOMER: "Show one guest",
    Capability.CREATE_CUSTOMER: "Add a guest",
    Capability.ASSIGN_DRIVER: "Assign a driver",
    Capability.FETCH_DRIVERS: "List the drivers",
    Capability.FETCH_DELIVERY_PLATFORMS: "List delivery platforms",
    Capability.FETCH_STOCK: "Read the stock",
    Capability.ADD_STOCK_ITEM: "Add to the stock list",
    Capability.SET_STOCK: "Correct the stock",
    Capability.FETCH_SALES_REPORT: "Report sales",
    Capability.FETCH_ITEM_REPORT: "Report what sold best",
}
_REPLAY = {
    Replay.REPEATABLE: "sent again, which does no harm",
    Replay.KEYED: "looked for, then sent again under the same key",
    Replay.SEARCHABLE: "looked for, sent again only when surely absent",
    Replay.TWO_PHASE: "the draft is looked for, then continued",
    Replay.ONCE: "a person decides",
}
_PUSHES = {
    Operation.PUSH_OPENED: "Hears of tables seated without it",
    Operation.PUSH_CHANGED: "Hears of changes",
    Operation.PUSH_CLOSED: "Hears that an order is closed",
    Operation.PUSH_VOID: "Hears that an order is void",
}


def connectors() -> Iterator[str]:
    """What each installed POS connector can do, from its class and manifest."""
    known = _installed("pos")
    line = _lines(known)
    yield from _heads(known)
    yield line("Id in `connector = …`", lambda it: f"`{it.manifest.id}`")
    yield line("Send an order", lambda _: "yes")
    yield line("Read an order back", lambda _: "yes")
    for capability in Capability:
        able = ("yes" if capability in it.pos.capabilities else "no" for it in known.values())
        yield _row([_ABILITIES[capability], *able])
    yield line("A sent order without an answer is", lambda it: _REPLAY[_rule(it.pos).replay])
    yield line("Open orders are read every", lambda it: f"{it.manifest.poll_seconds} s")
    yield line("Orders on their way at once", lambda it: f"{it.manifest.max_in_flight}")


def channels() -> Iterator[str]:
    """What each installed channel asks and hears, from its class and manifest."""
    known = _installed("channel")
    line = _lines(known)
    yield from _heads(known)
    yield line("Id in `connector = …`", lambda it: f"`{it.manifest.id}`")
    yield line("Calls the hub with", lambda it: "<br>".join(f"`{one.method} {one.path}`" for one in it.channel.routes))
    for operation in CHANNEL_OPERATIONS:
        yield line(_PUSHES[operation], partial(_push, operation=operation))
    yield line("Orders on their way at once", lambda it: f"{it.manifest.max_in_flight}")


def commands() -> Iterator[str]:
    """Every command with its arguments and one line of help, from the parser."""
    yield _row(["Command", "What it does"])
    yield _row(["---", "---"])
    for words, parser, described in _leaves(build_parser(), ()):
        positional = [str(action.metavar or action.dest.upper()) for action in _positionals(parser)]
        options = [action.option_strings[-1] for action in parser._actions if _is_shown(action)]
        used = " ".join(["openpos-hub", *words, *positional])
        yield _row(
            [f"`{used}`", described + (f" ({', '.join(f'`{option}`' for option in options)})" if options else "")]
        )


def causes() -> Iterator[str]:
    """Every cause with its meaning, owner and next action."""
    yield _row(["Cause", "What happened", "Who can remove it", "What to do"])
    yield _row(["---"] * 4)
    for cause in CAUSES.values():
        yield _row([f"`{cause.key}`", cause.title, cause.owner, cause.next_action])


def tools() -> Iterator[str]:
    """Every tool of AI agents, from the list of operations."""
    yield _row(["Tool", "Needs", "What it does", "The same over REST"])
    yield _row(["---"] * 4)
    for bound in bind(OPERATIONS).values():
        path = bound.operation.path.replace(":str}", "}")
        rest = f"`{bound.operation.method} {path}`"
        yield _row([f"`{bound.name}`", f"`{bound.scope}`", bound.tool.description, rest])


def rights() -> Iterator[str]:
    """Who may do what, from the list of operations."""
    yield _row(["What it does", "Over REST", "Tools", "Without a key", "Scope"])
    yield _row(["---"] * 5)
    for operation in OPERATIONS:
        rest = f"`{operation.method} {operation.path.replace(':str}', '}')}`"
        names = ", ".join(f"`{tool.name}`" for tool in operation.tools)
        yield _row([operation.summary, rest, names, "yes" if operation.anonymous else "no", f"`{operation.scope}`"])


BLOCKS: Mapping[str, Callable[[], Iterable[str]]] = {
    "connectors": connectors,
    "channels": channels,
    "commands": commands,
    "causes": causes,
    "tools": tools,
    "rights": rights,
}


def rewritten(text: str) -> str:
    """A document with its generated blocks as they must be now; raises `KeyError` for an unknown block."""
    return _BLOCK.sub(lambda found: found[1] + "\n".join(BLOCKS[found["name"]]()) + "\n" + found[3], text)


def documents() -> list[Path]:
    """README.md and everything in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main(arguments: list[str]) -> int:
    """Rewrites the documents, or only says which are out of date."""
    stale = [path for path in documents() if rewritten(path.read_text("utf-8")) != path.read_text("utf-8")]
    for path in stale:
        if "--check" not in arguments:
            path.write_text(rewritten(path.read_text("utf-8")), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}: {'out of date' if '--check' in arguments else 'rewritten'}\n")
    return 1 if stale and "--check" in arguments else 0


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _installed(role: str) -> dict[str, Registration]:
    registry = installed_connectors()
    return {name: registry.get(name) for name in registry if registry.get(name).manifest.role == role}


def _heads(known: Mapping[str, Registration]) -> Iterator[str]:
    yield _row(["", *(f"[{it.manifest.name}](connectors/{name}/README.md)" for name, it in known.items())])
    yield _row(["---"] * (len(known) + 1))


def _lines(known: Mapping[str, Registration]) -> Callable[[str, Callable[[Registration], str]], str]:
    return lambda words, value: _row([words, *(value(registration) for registration in known.values())])


def _push(registration: Registration, operation: Operation) -> str:
    method = getattr(registration.channel, operation.value)
    if method is getattr(ChannelConnector, operation.value):
        return "no"
    rule: WriteRule = method.__write_rule__
    return f"yes; without an answer {_REPLAY[rule.replay]}"


def _rule(connector: type[PosConnector]) -> WriteRule:
    rule: WriteRule = getattr(connector, Operation.SUBMIT_ORDER.value).__write_rule__
    return rule


def _leaves(
    parser: argparse.ArgumentParser, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser, str]]:
    """Commands that have no commands of their own, with their help."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for choice in action._choices_actions:
            child = action.choices[choice.dest]
            below = list(_leaves(child, (*words, choice.dest)))
            yield from below or [((*words, choice.dest), child, str(choice.help))]


def _positionals(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]


def _is_shown(action: argparse.Action) -> bool:
    return bool(action.option_strings) and "--help" not in action.option_strings and action.help != argparse.SUPPRESS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
