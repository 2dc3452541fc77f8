"""Segments of a store's guests, and campaigns to them: the hub says to whom, and notes what became of it."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.api.campaign_answers import (
    AudienceAnswer,
    CampaignAnswer,
    CampaignsAnswer,
    SegmentCustomersAnswer,
    SegmentsAnswer,
)
from hub.api.json import encode
from hub.api.listing import (
    PAGE,
    STORE,
    changed_reply,
    created_reply,
    creation_of,
    limit_of,
    named_venue,
    one_venue_of,
    venue_id_of,
)
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.operations.customers import customer_views
from hub.api.times import parse_timestamp
from hub.api.views import timestamp
from hub.model.campaign import Campaign, Channel, MessageResult, Result
from hub.model.ids import parse_id
from hub.services.campaigns import CampaignRequest, Tallied
from hub.services.keys import require_venue
from hub.services.segments import check_segment

_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Message = Annotated[str, Meta(max_length=2000)]
_Segment = Annotated[str, Meta(max_length=40)]


class CampaignBody(Struct, frozen=True, rename="camel"):
    """A campaign. Without `startsAt` it runs from now, without `endsAt` until it is cancelled."""

    name: _Name
    segment: _Segment
    channel: Channel = Channel.NONE
    message: _Message = ""
    starts_at: str | None = None
    ends_at: str | None = None
    store_slug: str = ""
    location_id: str = ""


class CampaignChangeBody(Struct, frozen=True, rename="camel"):
    """What to change; what is left out stays."""

    name: _Name | UnsetType = UNSET
    segment: _Segment | UnsetType = UNSET
    channel: Channel | UnsetType = UNSET
    message: _Message | UnsetType = UNSET
    starts_at: str | UnsetType = UNSET
    ends_at: str | UnsetType = UNSET


class CancelBody(Struct, frozen=True):
    """Nothing has to be said."""


class ResultBody(Struct, frozen=True, rename="camel"):
    """What became of the message to one customer; without `at` it is now."""

    customer_id: Annotated[str, Meta(max_length=64)]
    result: Result
    at: str | None = None
    detail: Annotated[str, Meta(max_length=200)] = ""


class ResultsBody(Struct, frozen=True):
    """What became of messages; telling it twice changes nothing."""

    results: Annotated[list[ResultBody], Meta(min_length=1, max_length=500)]


async def list_segments(services: Services, request: Request) -> Reply:
    """The segments of a store's guests, each with its rule in words and how many are in it."""
    venue = one_venue_of(services, request)
    segments = [
        {
            "key": segment.key,
            "name": segment.name,
            "rule": segment.rule,
            "customers": segment.members,
            "reachable": segment.reachable,
            "computedAt": timestamp(segment.computed_at_ms),
        }
        for segment in await services.front.segments.load(venue)
    ]
    return Reply(encode({"storeSlug": venue.slug, "locationId": venue.id, "segments": segments}))


async def list_segment_customers(services: Services, request: Request) -> Reply:
    """The guests of a segment, the newest first, in pages."""
    key = check_segment(request.path["segment"])
    venue = one_venue_of(services, request)
    await services.front.segments.load(venue)
    page = await services.front.guests.page(
        venue.id, segment=key, after=request.query["cursor"], limit=limit_of(request.query)
    )
    views = await customer_views(services, request, page.guests)
    return Reply(encode({"segment": key, "customers": views, "nextCursor": page.next or None}))


async def list_campaigns(services: Services, request: Request) -> Reply:
    """Campaigns, the newest first, in pages, with what became of their messages."""
    page = await services.front.campaigns.page(
        venue_id_of(services, request), after=request.query["cursor"], limit=limit_of(request.query)
    )
    tallied = await services.front.campaigns.tallied(page.campaigns)
    views = [campaign_view(entry, services) for entry in tallied]
    return Reply(encode({"campaigns": views, "nextCursor": page.next or None}))


async def get_campaign(services: Services, request: Request) -> Reply:
    """One campaign."""
    return await _reply(services, await _campaign(services, request))


async def create_campaign(services: Services, request: Request) -> Reply:
    """Make a campaign; repeat it with the same `Idempotency-Key` as often as needed."""
    body: CampaignBody = request.body
    venue = named_venue(services, request, body.store_slug, body.location_id)
    asked = CampaignRequest(
        name=body.name,
        segment=body.segment,
        channel=body.channel,
        message=body.message,
        starts_at_ms=parse_timestamp(body.starts_at, "startsAt"),
        ends_at_ms=parse_timestamp(body.ends_at, "endsAt"),
    )
    creation = creation_of(request, "campaign", lambda tallied: encode({"campaign": campaign_view(tallied, services)}))
    return created_reply(await services.front.campaigns.create(venue, asked, creation))


async def change_campaign(services: Services, request: Request) -> Reply:
    """Change a campaign that has not ended."""
    body: CampaignChangeBody = request.body
    campaign = await _campaign(services, request)
    asked = CampaignRequest(
        name=_given(body.name),
        segment=_given(body.segment),
        channel=_given(body.channel),
        message=_given(body.message),
        starts_at_ms=parse_timestamp(_given(body.starts_at), "startsAt"),
        ends_at_ms=parse_timestamp(_given(body.ends_at), "endsAt"),
    )
    return await _reply(services, await services.front.campaigns.change(campaign, asked, version=request.if_match))


async def cancel_campaign(services: Services, request: Request) -> Reply:
    """Cancel a campaign; nobody is in its audience from then on."""
    campaign = await _campaign(services, request)
    return await _reply(services, await services.front.campaigns.cancel(campaign, version=request.if_match))


async def get_audience(services: Services, request: Request) -> Reply:
    """To whom the message may go: guests of the segment who agreed, with the address that the channel needs."""
    campaign = await _campaign(services, request)
    page = await services.front.campaigns.audience(
        campaign, after=request.query["cursor"], limit=limit_of(request.query)
    )
    shown = [
        {"customerId": guest.id, "name": guest.name, "phone": guest.phone or None, "email": guest.email or None}
        for guest in page.guests
    ]
    return Reply(
        encode(
            {
                "campaignId": campaign.id,
                "channel": campaign.channel,
                "message": campaign.message,
                "audience": shown,
                "nextCursor": page.next or None,
            }
        )
    )


async def note_results(services: Services, request: Request) -> Reply:
    """Tell what became of messages; `unsubscribed` takes the customer's consent back."""
    body: ResultsBody = request.body
    campaign = await _campaign(services, request)
    results = [
        MessageResult(
            guest_id=parse_id("cust", entry.customer_id) or entry.customer_id,
            result=entry.result,
            at_ms=parse_timestamp(entry.at, f"results[{index}].at") or services.now_ms(),
            detail=entry.detail,
        )
        for index, entry in enumerate(body.results)
    ]
    tallied = await services.front.campaigns.note(campaign, results, actor=request.caller.name)
    return changed_reply(encode({"campaign": campaign_view(tallied, services)}), campaign.version)


async def _campaign(services: Services, request: Request) -> Campaign:
    campaign = await services.front.campaigns.load(request.path["campaign"])
    require_venue(request.caller, campaign.venue_id)
    return campaign


async def _reply(services: Services, campaign: Campaign) -> Reply:
    [tallied] = await services.front.campaigns.tallied([campaign])
    return changed_reply(encode({"campaign": campaign_view(tallied, services)}), campaign.version)


def _given(value: Any) -> Any:
    return None if value is UNSET else value


def campaign_view(tallied: Tallied, services: Services) -> dict[str, Any]:
    """A campaign with its status now."""
    campaign = tallied.campaign
    venue = services.directory.venue(campaign.venue_id)
    return {
        "id": campaign.id,
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "name": campaign.name,
        "segment": campaign.segment,
        "channel": campaign.channel,
        "message": campaign.message,
        "status": campaign.status(services.now_ms()),
        "startsAt": timestamp(campaign.starts_at_ms),
        "endsAt": timestamp(campaign.ends_at_ms),
        "results": {result.value: tallied.results.get(result, 0) for result in Result},
        "createdBy": campaign.created_by,
        "version": campaign.version,
        "createdAt": timestamp(campaign.created_at_ms),
        "updatedAt": timestamp(campaign.updated_at_ms),
    }


def _reading(
    name: str, path: str, summary: str, handler: Any, scope: str, answer: type[Struct], *query: str
) -> Operation:
    return Operation(
        name=name,
        method="GET",
        path=path,
        summary=summary,
        scope=scope,
        anonymous=False,
        handler=handler,
        query=query,
        of_many=True,
        answer=answer,
        gives=("ETag",) if name == "get_campaign" else (),
    )


def _writing(name: str, method: str, path: str, summary: str, handler: Any, body: type) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=path,
        summary=summary,
        scope="write",
        anonymous=False,
        handler=handler,
        body=body,
        of_many=True,
        answer=CampaignAnswer,
        success=201 if path == "/campaigns" else 200,
        heeds=("Idempotency-Key",) if path == "/campaigns" else ("If-Match",) if body is not ResultsBody else (),
        gives=("ETag",) if body is ResultsBody else (),
    )


_ONE = "/campaigns/{campaign:str}"
OPERATIONS = (
    _reading(
        "list_segments", "/segments", "List customer segments.", list_segments, "customers:read", SegmentsAnswer, *STORE
    ),
    _reading(
        "list_segment_customers",
        "/segments/{segment:str}/customers",
        "The customers of a segment.",
        list_segment_customers,
        "customers:read",
        SegmentCustomersAnswer,
        *STORE,
        *PAGE,
    ),
    _reading(
        "list_campaigns",
        "/campaigns",
        "List marketing campaigns.",
        list_campaigns,
        "read",
        CampaignsAnswer,
        *STORE,
        *PAGE,
    ),
    _writing("create_campaign", "POST", "/campaigns", "Make a campaign.", create_campaign, CampaignBody),
    _reading("get_campaign", _ONE, "One campaign.", get_campaign, "read", CampaignAnswer),
    _writing("change_campaign", "PATCH", _ONE, "Change a campaign.", change_campaign, CampaignChangeBody),
    _writing("cancel_campaign", "POST", f"{_ONE}/cancel", "Cancel a campaign.", cancel_campaign, CancelBody),
    _reading(
        "get_campaign_audience",
        f"{_ONE}/audience",
        "To whom a campaign's message may go.",
        get_audience,
        "customers:read",
        AudienceAnswer,
        *PAGE,
    ),
    _writing(
        "note_campaign_results", "POST", f"{_ONE}/results", "Tell what became of messages.", note_results, ResultsBody
    ),
)
