"""A few sentences about a venue's figures, written by a language model that the operator chose; optional."""

import logging
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.ports import CallSink, Clock, RateLimiter
from hub.contract.redact import Redactor
from hub.errors import ConnectorError
from hub.model.insight import Insight

_LONGEST = 2_000
_SECONDS = 15.0
_TOKENS = 400
_INSTRUCTIONS = (
    "You are given figures of a restaurant as JSON. Write at most five plain sentences for its manager. "
    "Use only these figures. Say nothing about insights whose sureness is none."
)
_log = logging.getLogger(__name__)


class ModelSettings(Struct, frozen=True):
    """An OpenAI-compatible service: its base address up to and with `/v1`, a key if it needs one, the model's name."""

    url: str
    key: str
    name: str


class InsightText(Struct, frozen=True):
    """What the model wrote; `problem` when it wrote nothing."""

    by: str
    text: str = ""
    problem: str = ""


class InsightWriter:
    """Asks the model. Figures go out, never a guest, an order or a note; its failure is no error."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        transport: httpx.AsyncBaseTransport,
        sink: CallSink,
        limiter: RateLimiter,
        clock: Clock,
        total_seconds: float = _SECONDS,
    ) -> None:
        self._settings = settings
        self._http = VendorHttp(
            HttpProfile(
                connector="model",
                link_id="",
                base_url=settings.url.rstrip("/"),
                connect_timeout_seconds=3.0,
                total_timeout_seconds=total_seconds,
                rate_limits=(),
            ),
            transport=transport,
            sink=sink,
            limiter=limiter,
            clock=clock,
            redactor=Redactor(("authorization",), (), (settings.key,) if settings.key else ()),
        )

    async def write(self, insights: Sequence[Insight], currency: str) -> InsightText:
        """A text about these insights."""
        by = f"model {self._settings.name}"
        figures = [
            {
                "title": insight.title,
                "summary": insight.summary,
                "now": _countable(insight.figures),
                "before": _countable(insight.before),
                "sureness": insight.sureness,
            }
            for insight in insights
        ]
        body = {
            "model": self._settings.name,
            "max_tokens": _TOKENS,
            "messages": [
                {"role": "system", "content": _INSTRUCTIONS},
                {
                    "role": "user",
                    "content": msgspec.json.encode({"currency": currency, "insights": figures}).decode(),
                },
            ],
        }
        headers = {"authorization": f"Bearer {self._settings.key}"} if self._settings.key else {}
        try:
            answer = await self._http.send(
                "write_insights", "POST", "/chat/completions", headers=headers, body=body, safe=True
            )
        except ConnectorError as problem:
            _log.warning("insights: the model wrote nothing: %s", problem.message)
            return InsightText(by, problem=type(problem).__name__)
        text = _content(answer.data)
        return InsightText(by, text[:_LONGEST]) if text else InsightText(by, problem="the answer holds no text")


def insight_writer(
    settings: ModelSettings,
    *,
    transport: httpx.AsyncBaseTransport,
    sink: CallSink,
    limiter: RateLimiter,
    clock: Clock,
) -> InsightWriter | None:
    """Who writes about insights; None where no model is set."""
    if not settings.url:
        return None
    return InsightWriter(settings, transport=transport, sink=sink, limiter=limiter, clock=clock)


def _countable(figures: Any) -> Any:
    """Figures without reasons people wrote: a name may stand in them."""
    return {name: value for name, value in figures.items() if name != "causes"}


def _content(data: Any) -> str:
    try:
        text = data["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return text.strip() if isinstance(text, str) else ""
