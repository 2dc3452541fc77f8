"""`openpos-hub accredit`: plays what a partner checks before going live, and writes the report."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from hub.app import Hub
from hub.cli.commands import with_hub
from hub.contract.accreditation import ChannelCall
from hub.errors import ConfigurationError, NotFound, Unavailable
from hub.model.accreditation import Accreditation, Step
from hub.model.venue import Link
from hub.services.accredit.bench import Answer, Bench, HubParts
from hub.services.accredit.channel import ChannelAccreditation
from hub.services.accredit.pos import PosAccreditation

_TIMEOUT_SECONDS = 30.0
_OWN_MACHINE = ("127.0.0.1", "localhost", "::1")


def accredit(options: argparse.Namespace) -> int:
    """`accredit`; 1 when a step failed."""

    async def run(hub: Hub) -> int:
        links = _links(hub, options.link)
        real = [_name(hub, link) for link in links if not _is_practice(hub, link)]
        if real and not options.yes:
            raise ConfigurationError(
                f"this opens real orders at {', '.join(real)}, marked as tests, and voids them; say --yes if it may"
            )
        reports = []
        async with httpx.AsyncClient(base_url=options.hub, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            for link in links:
                reports.append(await _at_link(hub, link, client, options))
        if options.report:
            _write(Path(options.report), reports)
        if options.json:
            print(json.dumps(msgspec.to_builtins(reports), ensure_ascii=False, indent=2))
        for report in reports:
            print(f"{report.link}: {'passed' if report.passed else 'FAILED'}", file=sys.stderr)
        return 0 if all(report.passed for report in reports) else 1

    return with_hub(run)


def _links(hub: Hub, named: str) -> list[Link]:
    channel, _, place = named.partition("/")
    if place:
        return [hub.channels.find_link(channel, place)]
    links = [link for link in hub.directory.links() if link.connector == named]
    if links:
        return links
    try:
        return [hub.directory.link(named)]
    except NotFound as unknown:
        raise NotFound(f"{unknown.message}; name CONNECTOR/VENUE, a venue's slug or a connector") from unknown


def _name(hub: Hub, link: Link) -> str:
    slug = hub.directory.venue(link.venue_id).slug
    return f"{link.label}/{slug}" if link.role == "channel" else slug


def _is_practice(hub: Hub, link: Link) -> bool:
    """Whether nothing real can come of it: a practice venue, or one whose links all lead to this very machine."""
    if hub.directory.venue(link.venue_id).policies.practice:
        return True
    pos = hub.directory.link_of(link.venue_id)
    links = [link, *hub.directory.channels_of(link.venue_id), *([] if pos is None else [pos])]
    return all(urlsplit(str(one.config.get("base_url", ""))).hostname in _OWN_MACHINE for one in links)


async def _at_link(hub: Hub, link: Link, client: httpx.AsyncClient, options: argparse.Namespace) -> Accreditation:
    began = datetime.fromtimestamp(hub.now_ms() / 1000, UTC).isoformat(timespec="seconds")
    parts = HubParts(
        database=hub.database,
        directory=hub.directory,
        connections=hub.connections,
        orders=hub.orders,
        changes=hub.changes,
        clock=hub.clock,
        new_id=hub.new_id,
    )
    name = _name(hub, link)
    print(f"{name}:", file=sys.stderr)
    bench = Bench(
        hub=parts,
        link=link,
        venue=hub.directory.venue(link.venue_id),
        tell=_show,
        item=options.item or "",
        wait_seconds=options.wait,
    )
    if link.role == "channel":
        base = hub.channels.path(link)

        async def send(call: ChannelCall) -> Answer:
            try:
                answer = await client.request(
                    call.method, base + call.path, headers=dict(call.headers), content=call.body or None
                )
            except httpx.HTTPError as problem:
                raise Unavailable(f"no hub answers at {client.base_url}: {problem}", retry_after_seconds=1) from problem
            return Answer(answer.status_code, answer.content)

        await ChannelAccreditation(bench, hub.channels.connector(link).player(), send).run()
    else:
        await PosAccreditation(bench, hub.connections.pos(link.id)).run()
    return Accreditation(link=name, connector=link.connector, began=began, steps=tuple(bench.steps))


def _write(path: Path, reports: Sequence[Accreditation]) -> None:
    path.write_text("\n".join(_markdown(report) for report in reports), encoding="utf-8")


def _show(step: Step) -> None:
    print(f"  {step.outcome.upper():6} {step.name} ({step.milliseconds} ms): {step.came}", file=sys.stderr, flush=True)


def _markdown(report: Accreditation) -> str:
    rows = [
        f"| {number} | {_cell(step.name)} | {_cell(step.sent)} | {_cell(step.came)} | {step.outcome} "
        f"| {step.milliseconds} |"
        for number, step in enumerate(report.steps, start=1)
    ]
    head = [
        f"# Accreditation of {report.link}",
        "",
        f"Began {report.began}. **{'Passed' if report.passed else 'FAILED'}.**",
        "",
        "| # | Step | Sent | Came | Result | ms |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
