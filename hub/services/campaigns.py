"""Campaigns: to whom a message may go, and what became of it. Only guests who agreed are in an audience."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from msgspec import Struct, structs
from sqlalchemy import Connection

from hub.contract.ports import Clock
from hub.database import campaigns as stored
from hub.database import guests as stored_guests
from hub.database.campaigns import CampaignPage
from hub.database.engine import Database
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.model.campaign import Campaign, CampaignStatus, Channel, MessageResult, Result
from hub.model.guest import Guest
from hub.model.ids import NewId, parse_id
from hub.model.segment import KEYS, is_reachable
from hub.model.venue import Venue
from hub.services.create_once import Created, Creation, check_version, saved
from hub.services.directory import Directory
from hub.services.guests import LARGEST_PAGE, Guests
from hub.services.segments import Segments


class CampaignRequest(Struct, frozen=True, kw_only=True):
    """A campaign as asked for; None leaves what is there when one is changed."""

    name: str | None = None
    segment: str | None = None
    channel: Channel | None = None
    message: str | None = None
    starts_at_ms: int | None = None
    ends_at_ms: int | None = None


class Tallied(Struct, frozen=True):
    """A campaign with how many guests each result was noted of."""

    campaign: Campaign
    results: dict[str, int]


class Audience(Struct, frozen=True):
    """One page of those to whom a campaign's message may go; `next` is empty at the end."""

    guests: Sequence[Guest]
    next: str


class Campaigns:
    """The campaigns of all venues; whoever calls says of which venue they may see."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        guests: Guests,
        segments: Segments,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._directory = directory
        self._guests = guests
        self._segments = segments
        self._clock = clock
        self._new_id = new_id

    async def page(self, venue_id: str, *, after: str, limit: int) -> CampaignPage:
        """One page, newest first. Raises `InvalidRequest`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise InvalidRequest(f"limit: must be from 1 to {LARGEST_PAGE}", field="limit")
        if after and parse_id("camp", after) != after:
            raise InvalidRequest("cursor: use the nextCursor of a page of the same search", field="cursor")
        return await self._database.read(partial(stored.load_page, venue_id=venue_id, after=after, limit=limit))

    async def tallied(self, campaigns: Sequence[Campaign]) -> list[Tallied]:
        """Campaigns with their results."""
        ids = [campaign.id for campaign in campaigns]
        tallies = await self._database.read(partial(stored.load_tallies, campaign_ids=ids))
        return [Tallied(campaign, tallies.get(campaign.id, {})) for campaign in campaigns]

    async def load(self, campaign_id: str) -> Campaign:
        """A campaign by id. Raises `NotFound`."""
        found = await self._database.read(
            partial(stored.find_campaign, campaign_id=parse_id("camp", campaign_id) or "")
        )
        if found is None:
            raise NotFound(f"there is no campaign {campaign_id[:100]!r}")
        return found

    async def create(self, venue: Venue, asked: CampaignRequest, creation: Creation) -> Created:
        """Makes a campaign. `creation.render` is given a `Tallied`. Raises `InvalidRequest` naming the field."""
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Created:
            campaign_id = self._new_id("camp")

            def make() -> Tallied:
                campaign = Campaign(
                    id=campaign_id,
                    venue_id=venue.id,
                    name=asked.name or "",
                    segment=asked.segment or "",
                    channel=asked.channel or Channel.NONE,
                    message=asked.message or "",
                    starts_at_ms=now_ms if asked.starts_at_ms is None else asked.starts_at_ms,
                    ends_at_ms=asked.ends_at_ms,
                    cancelled_at_ms=None,
                    created_by=creation.actor,
                    version=1,
                    created_at_ms=now_ms,
                    updated_at_ms=now_ms,
                )
                _check(campaign)
                stored.insert_campaign(connection, campaign)
                return Tallied(campaign, {})

            return creation.once(connection, campaign_id, now_ms, make)

        return await self._database.write(unit)

    async def change(self, campaign: Campaign, asked: CampaignRequest, *, version: int | None) -> Campaign:
        """Changes a campaign that has not ended. Raises `InvalidRequest`, `Conflict`."""
        values = {name: value for name in asked.__struct_fields__ if (value := getattr(asked, name)) is not None}

        def with_change(before: Campaign, now_ms: int) -> Campaign:
            if before.status(now_ms) in (CampaignStatus.ENDED, CampaignStatus.CANCELLED):
                raise Conflict(
                    f"status: the campaign is {before.status(now_ms)} already", field="status", code="CAMPAIGN_ENDED"
                )
            after = structs.replace(before, **values)
            _check(after)
            return after

        return await self._changed(campaign, version, with_change)

    async def cancel(self, campaign: Campaign, *, version: int | None) -> Campaign:
        """Cancels; twice is fine. Its audience is empty from then on."""
        return await self._changed(
            campaign,
            version,
            lambda before, now_ms: structs.replace(before, cancelled_at_ms=before.cancelled_at_ms or now_ms),
        )

    async def audience(self, campaign: Campaign, *, after: str, limit: int) -> Audience:
        """One page of the guests of the segment who agreed to be written to and left the address that is needed.

        Raises `Conflict` for a campaign that was cancelled or ended. A page may be short, or empty, and not the last.
        """
        status = campaign.status(self._clock.now_ms())
        if status in (CampaignStatus.CANCELLED, CampaignStatus.ENDED):
            raise Conflict(
                f"status: the campaign is {status}: it has no audience", field="status", code="CAMPAIGN_ENDED"
            )
        if not after:
            await self._segments.compute(self._directory.venue(campaign.venue_id))
        page = await self._guests.page(campaign.venue_id, segment=campaign.segment, after=after, limit=limit)
        return Audience([guest for guest in page.guests if is_reachable(guest, campaign.channel)], page.next)

    async def whole_audience(self, campaign: Campaign) -> AsyncIterator[Guest]:
        """All of them, page by page."""
        after = ""
        while True:
            page = await self.audience(campaign, after=after, limit=LARGEST_PAGE)
            for guest in page.guests:
                yield guest
            if not page.next:
                return
            after = page.next

    async def note(self, campaign: Campaign, results: Sequence[MessageResult], *, actor: str) -> Tallied:
        """Notes what became of messages; who unsubscribed is in no audience from then on.

        Raises `InvalidRequest` for a customer of another store.
        """
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> None:
            stored_guests.lock_guest_book(connection, campaign.venue_id)
            known = stored_guests.load_guests(connection, [entry.guest_id for entry in results])
            for entry in results:
                guest = known.get(entry.guest_id)
                if guest is None or guest.venue_id != campaign.venue_id:
                    raise InvalidRequest(f"results: this store has no customer {entry.guest_id!r}", field="results")
                if entry.result is Result.UNSUBSCRIBED and guest.marketing_consent:
                    after = structs.replace(
                        guest, marketing_consent=False, consent_at_ms=now_ms, consent_by=actor, updated_at_ms=now_ms
                    )
                    stored_guests.change_guest(connection, guest, after)
            stored.save_results(connection, campaign.id, results)

        await self._database.write(unit)
        [tallied] = await self.tallied([campaign])
        return tallied

    async def _changed(
        self, campaign: Campaign, version: int | None, change: Callable[[Campaign, int], Campaign]
    ) -> Campaign:
        now_ms = self._clock.now_ms()

        def unit(connection: Connection) -> Campaign:
            before = stored.find_campaign(connection, campaign.id, lock=True)
            if before is None:
                raise NotFound("there is no such campaign any more")
            check_version(version, before.version)
            after = change(before, now_ms)
            if after == before:
                return before
            return saved(stored.save_campaign(connection, before, structs.replace(after, updated_at_ms=now_ms)))

        return await self._database.write(unit)


def _check(campaign: Campaign) -> None:
    if campaign.segment not in KEYS:
        raise InvalidRequest(f"segment: {campaign.segment[:40]!r} is none of {', '.join(KEYS)}", field="segment")
    if campaign.ends_at_ms is not None and campaign.ends_at_ms <= campaign.starts_at_ms:
        raise InvalidRequest("endsAt: must be after startsAt", field="endsAt")
    if campaign.channel is not Channel.NONE and not campaign.message.strip():
        raise InvalidRequest("message: a campaign that is sent needs one", field="message")
