"""Campaigns of a venue, whom they reach, and what became of their messages."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, func, insert, literal, select, update

from hub.database.guest_tables import campaign_results, campaigns
from hub.database.upsert import upsert
from hub.model.campaign import Campaign, Channel, MessageResult


class CampaignPage(Struct, frozen=True):
    """One page, newest first; `next` is empty at the end."""

    campaigns: Sequence[Campaign]
    next: str


def find_campaign(connection: Connection, campaign_id: str, *, lock: bool = False) -> Campaign | None:
    """A campaign by id; with `lock` nobody else changes it until this transaction ends."""
    query = select(campaigns).where(campaigns.c.id == campaign_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _campaign(row)


def load_page(connection: Connection, venue_id: str, *, after: str, limit: int) -> CampaignPage:
    """The next page of a venue's campaigns (of all venues' when empty)."""
    query = select(campaigns)
    if venue_id:
        query = query.where(campaigns.c.venue_id == venue_id)
    if after:
        query = query.where(campaigns.c.id < after)
    rows = connection.execute(query.order_by(campaigns.c.id.desc()).limit(limit + 1)).all()
    found = [_campaign(row) for row in rows[:limit]]
    return CampaignPage(found, found[-1].id if len(rows) > limit else "")


def insert_campaign(connection: Connection, campaign: Campaign) -> None:
    """Stores a new campaign."""
    connection.execute(insert(campaigns), [_row(campaign)])


def save_campaign(connection: Connection, before: Campaign, after: Campaign) -> Campaign | None:
    """Stores a changed campaign under the next version; None when somebody else was faster."""
    row = _row(after) | {"version": before.version + 1}
    mine = (campaigns.c.id == before.id, campaigns.c.version == before.version)
    done = connection.execute(update(campaigns).where(*mine).values(row)).rowcount == 1
    return msgspec.structs.replace(after, version=before.version + 1) if done else None


def save_results(connection: Connection, campaign_id: str, results: Sequence[MessageResult]) -> None:
    """Notes what became of messages; each guest and result once, however often it is told."""
    rows = [{"campaign_id": campaign_id, **msgspec.structs.asdict(entry)} for entry in results]
    for row in rows:
        row["result"] = row["result"].value
    upsert(connection, campaign_results, rows)


def load_tallies(connection: Connection, campaign_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many guests each result was noted of, by campaign."""
    table = campaign_results.c
    query = select(table.campaign_id, table.result, func.sum(literal(1)).label("guests"))
    query = query.where(table.campaign_id.in_(campaign_ids)).group_by(table.campaign_id, table.result)
    tallies: dict[str, dict[str, int]] = {}
    for row in connection.execute(query) if campaign_ids else ():
        tallies.setdefault(row.campaign_id, {})[row.result] = int(row.guests)
    return tallies


def _row(campaign: Campaign) -> dict[str, Any]:
    return msgspec.structs.asdict(campaign) | {"channel": campaign.channel.value}


def _campaign(row: Row[Any]) -> Campaign:
    return Campaign(**dict(row._mapping) | {"channel": Channel(row.channel)})
