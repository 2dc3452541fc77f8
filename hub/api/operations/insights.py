"""Insights into a store's own orders."""

from collections.abc import Mapping
from typing import Any

from hub.api.campaign_answers import InsightsAnswer
from hub.api.derived import with_tool
from hub.api.json import encode
from hub.api.listing import STORE, one_venue_of
from hub.api.operation import Operation, Reply, Request, Services
from hub.api.times import parse_timestamp
from hub.api.views import money, timestamp
from hub.model.insight import RULE, Insight
from hub.model.venue import Venue
from hub.services.insight_text import InsightText
from hub.services.insights import Report


async def get_insights(services: Services, request: Request) -> Reply:
    """What a store's orders of a period say, compared with the period before; each with its figures."""
    venue = one_venue_of(services, request)
    report = await services.front.insights.report(
        venue,
        from_ms=parse_timestamp(request.query["from"] or None, "from"),
        to_ms=parse_timestamp(request.query["to"] or None, "to"),
    )
    return Reply(encode(_report_view(report, venue)))


def _report_view(report: Report, venue: Venue) -> dict[str, Any]:
    return {
        "storeSlug": venue.slug,
        "locationId": venue.id,
        "period": {"from": timestamp(report.from_ms), "to": timestamp(report.to_ms)},
        "comparedWith": {"from": timestamp(report.before_from_ms), "to": timestamp(report.from_ms)},
        "timezone": venue.timezone,
        "complete": report.complete,
        "insights": [_insight_view(insight, venue.currency) for insight in report.insights],
        "text": None if report.text is None else _text_view(report.text),
    }


def _insight_view(insight: Insight, currency: str) -> dict[str, Any]:
    return {
        "key": insight.key,
        "title": insight.title,
        "summary": insight.summary,
        "figures": _with_money(insight.figures, currency),
        "before": _with_money(insight.before, currency),
        "sureness": insight.sureness,
        "sampleSize": insight.sample,
        "rule": RULE,
    }


def _text_view(text: InsightText) -> dict[str, Any]:
    return {"by": text.by, "text": text.text or None, "problem": text.problem or None}


def _with_money(figures: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Amounts (`salesCents`) as the money objects of the API (`sales`)."""
    shown: dict[str, Any] = {}
    for name, value in figures.items():
        if name.endswith("Cents"):
            shown[name.removesuffix("Cents")] = money(value, currency)
        elif isinstance(value, list):
            shown[name] = [_with_money(row, currency) for row in value]
        else:
            shown[name] = value
    return shown


OPERATIONS = (
    with_tool(
        Operation(
            name="get_insights",
            method="GET",
            path="/insights",
            summary="Get insights computed from a store's own orders.",
            scope="orders:read",
            anonymous=False,
            handler=get_insights,
            query=(*STORE, "from", "to"),
            of_many=True,
            answer=InsightsAnswer,
        ),
        "What a store's own orders of a period say, with figures, compared with the period before; without from and to "
        "the last seven days.",
    ),
)
