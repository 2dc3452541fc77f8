"""Turns links into live connectors: settings checked, secrets filled in, HTTP client at hand."""

from collections.abc import Mapping
from typing import Any

import httpx

from hub.contract.base import Capability, PosConnector
from hub.contract.channel import ChannelConnector
from hub.contract.connector import Connector, LinkContext
from hub.contract.http import HttpProfile, VendorHttp
from hub.contract.ports import CallSink, Clock, RateLimiter, RefStore, TokenStore
from hub.contract.redact import Redactor
from hub.contract.registry import Registration, Registry
from hub.contract.tables import validate
from hub.errors import ConfigurationError
from hub.model.venue import Link, Venue
from hub.services.directory import Directory

_REFERENCE = "env:"


class Connections:
    """The connectors of this process by link; rebuilt when a link's settings or the stored secrets change."""

    def __init__(
        self,
        *,
        registry: Registry,
        directory: Directory,
        transport: httpx.AsyncBaseTransport,
        sink: CallSink,
        limiter: RateLimiter,
        tokens: TokenStore,
        refs: RefStore,
        clock: Clock,
        secrets: Mapping[str, str],
    ) -> None:
        self._registry = registry
        self._directory = directory
        self._transport = transport
        self._sink = sink
        self._limiter = limiter
        self._tokens = tokens
        self._refs = refs
        self._clock = clock
        self._secrets = secrets
        self._built: dict[str, tuple[Link, Venue, Mapping[str, str], Connector]] = {}

    def pos(self, link_id: str) -> PosConnector:
        """The connector of a link to a POS. Raises `ConfigurationError`, also for a channel's link."""
        connector = self.connector(link_id)
        if not isinstance(connector, PosConnector):
            raise ConfigurationError(f"link {link_id} leads to a channel, not to a POS")
        return connector

    def channel(self, link_id: str) -> ChannelConnector:
        """The connector of a channel's link. Raises `ConfigurationError`, also for a link to a POS."""
        connector = self.connector(link_id)
        if not isinstance(connector, ChannelConnector):
            raise ConfigurationError(f"link {link_id} leads to a POS, not to a channel")
        return connector

    def connector(self, link_id: str) -> Connector:
        """The connector of a link. Raises `ConfigurationError` when its settings or secrets are not right."""
        link = self._directory.link(link_id)
        venue = self._directory.venue(link.venue_id)
        sealed = self._directory.sealed_secrets()
        built = self._built.get(link.id)
        if built is None or not (_same(built[0], link) and _same(built[1], venue) and _same(built[2], sealed)):
            built = (link, venue, sealed, self._build(link, venue))
            self._built[link.id] = built
        return built[3]

    def abilities(self, link_id: str) -> frozenset[Capability]:
        """What this vendor's connector can do, whether or not the link's settings are right."""
        return self._registry.get(self._directory.link(link_id).connector).pos.capabilities

    def max_in_flight(self, link_id: str) -> int:
        """How many orders may be on their way to this vendor at once."""
        link = self._directory.link(link_id)
        return link.tuning.max_in_flight or self._registry.get(link.connector).manifest.max_in_flight

    def total_timeout_seconds(self, link_id: str) -> float:
        """The longest a single call of this link may take."""
        link = self._directory.link(link_id)
        manifest = self._registry.get(link.connector).manifest
        return link.tuning.total_timeout_seconds or manifest.total_timeout_seconds

    def settle_seconds(self, link_id: str) -> float:
        """How long this vendor may go on working on a write after our time-out."""
        link = self._directory.link(link_id)
        configured = link.tuning.settle_seconds
        return self._registry.get(link.connector).manifest.settle_seconds if configured is None else configured

    def poll_seconds(self, link_id: str) -> int:
        """How often this link's open orders are polled."""
        link = self._directory.link(link_id)
        return link.tuning.poll_seconds or self._registry.get(link.connector).manifest.poll_seconds

    def _build(self, link: Link, venue: Venue) -> Connector:
        registration = self._registry.get(link.connector)
        config, secret_values = resolve_config(link, registration, self._secrets)
        manifest, tuning = registration.manifest, link.tuning
        published = tuple(limit.as_rate_limit() for limit in manifest.rate_limits)
        base_url = str(config.get("base_url", "")).rstrip("/")
        http = VendorHttp(
            HttpProfile(
                connector=manifest.id,
                link_id=link.id,
                base_url=base_url,
                connect_timeout_seconds=tuning.connect_timeout_seconds or manifest.connect_timeout_seconds,
                total_timeout_seconds=tuning.total_timeout_seconds or manifest.total_timeout_seconds,
                rate_limits=published if tuning.rate_limits is None else tuning.rate_limits,
            ),
            transport=self._transport,
            sink=self._sink,
            limiter=self._limiter,
            clock=self._clock,
            redactor=Redactor(manifest.secret_headers, manifest.secret_fields, secret_values),
        )
        return registration.connector(
            LinkContext(
                link=link,
                config=config,
                currency=venue.currency,
                timezone=venue.timezone,
                http=http,
                tables=registration.tables,
                tokens=self._tokens,
                refs=self._refs,
                clock=self._clock,
            )
        )


def _same(one: object, other: object) -> bool:
    """Whether two values are equal; mostly they are one object, which spares every call a look at all settings."""
    return one is other or one == other


def resolve_config(
    link: Link, registration: Registration, secrets: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A link's settings with defaults from the schema and `env:NAME` replaced, and the secret values among them.

    Raises `ConfigurationError` naming the link and the field, never the value of a secret.
    """
    where = f"link {link.name or link.id}"
    properties: Mapping[str, Any] = registration.config_schema.get("properties", {})
    config = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    config.update(link.config)
    secret_values = []
    for name, value in config.items():
        if isinstance(value, str) and value.startswith(_REFERENCE):
            variable = value.removeprefix(_REFERENCE)
            if variable not in secrets:
                raise ConfigurationError(
                    f"{where}: {name}: the environment has no {variable}, nor has `openpos-hub secrets`", field=name
                )
            config[name] = secret = secrets[variable]
            secret_values.append(secret)
        elif name in registration.secret_config_fields():
            secret_values.append(str(value))
    validate_config(config, registration, where)
    return config, tuple(secret_values)


def validate_config(config: Mapping[str, Any], registration: Registration, where: str) -> None:
    """Checks link settings against the connector's schema; a secret's value never gets into the message."""
    secret_fields = registration.secret_config_fields()
    try:
        validate(dict(config), registration.config_schema, where=where)
    except ConfigurationError as problem:
        if problem.field in secret_fields:
            raise ConfigurationError(f"{where}: {problem.field}: not a valid value", field=problem.field) from None
        raise
