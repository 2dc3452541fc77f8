"""A link's settings are completed, checked, and never told in full where they are secret."""

from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from msgspec import structs

from hub.contract.connector import LinkContext
from hub.contract.manifest import Manifest
from hub.contract.registry import Registration, Registry
from hub.contract.tables import VendorTables
from hub.contract.writes import Replay
from hub.errors import ConfigurationError
from hub.model.venue import Link, Venue
from hub.services.connections import Connections, resolve_config
from tests.services.scripted import ScriptedPos

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["branch", "password"],
    "additionalProperties": False,
    "properties": {
        "branch": {"type": "integer"},
        "password": {"type": "string", "minLength": 8, "secret": True},
        "base_url": {"type": "string", "default": "http://till.test"},
    },
}
REGISTRATION = Registration(
    ScriptedPos,
    Manifest(id="till", name="Till", role="pos", docs="http://till.test", secret_headers=()),
    SCHEMA,
    VendorTables("till", {}),
)
LINK = Link(id="link_1", venue_id="loc_1", connector="till", name="the till")


def resolved(secrets: dict[str, str] | None = None, **config: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    return resolve_config(structs.replace(LINK, config=config), REGISTRATION, secrets or {})


def refused(secrets: dict[str, str] | None = None, **config: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        resolved(secrets, **config)
    return raised.value


def test_defaults_are_filled_in_and_references_replaced() -> None:
    config, secret_values = resolved({"TILL_PASSWORD": "hunter2hunter2"}, branch=1, password="env:TILL_PASSWORD")
    assert config == {"branch": 1, "password": "hunter2hunter2", "base_url": "http://till.test"}
    assert secret_values == ("hunter2hunter2",)


def test_a_secret_that_stands_in_the_settings_is_known_as_one() -> None:
    assert resolved(branch=1, password="hunter2hunter2")[1] == ("hunter2hunter2",)


def test_a_setting_of_its_own_stands_above_the_default() -> None:
    assert resolved(branch=1, password="hunter2hunter2", base_url="http://x")[0]["base_url"] == "http://x"


def test_a_reference_to_nothing_is_refused_with_its_name() -> None:
    problem = refused(branch=1, password="env:NOWHERE")
    assert (problem.message, problem.field) == (
        "link the till: password: the environment has no NOWHERE, nor has `openpos-hub secrets`",
        "password",
    )


def test_a_wrong_setting_is_refused_with_its_name() -> None:
    assert refused(branch="one", password="hunter2hunter2").field == "branch"
    assert "'branch' is a required property" in refused(password="hunter2hunter2").message
    assert "'colour'" in refused(branch=1, password="hunter2hunter2", colour="red").message


def test_a_wrong_secret_is_refused_without_telling_it() -> None:
    problem = refused({"P": "short"}, branch=1, password="env:P")
    assert (problem.message, problem.field) == ("link the till: password: not a valid value", "password")
    assert problem.__cause__ is None
    assert problem.__suppress_context__


class Till(ScriptedPos):
    """Keeps the settings it was made with."""

    def __init__(self, context: LinkContext) -> None:
        super().__init__(Replay.ONCE)
        self.context = context


class Declared:
    """A directory with one link, whose stored secrets change."""

    def __init__(self) -> None:
        self.sealed = {"TILL_PASSWORD": "sealed"}

    def link(self, _link_id: str) -> Link:
        return structs.replace(LINK, config={"branch": 1, "password": "env:TILL_PASSWORD"})

    def venue(self, venue_id: str) -> Venue:
        return Venue(id=venue_id, slug="v", name="V", currency="EUR", timezone="UTC", order_prefix="V")

    def sealed_secrets(self) -> dict[str, str]:
        return self.sealed


def test_a_connector_is_made_anew_when_a_stored_secret_changes() -> None:
    declared, secrets, nobody = Declared(), {"TILL_PASSWORD": "hunter2hunter2"}, cast(Any, None)
    connections = Connections(
        registry=Registry({"till": replace(REGISTRATION, connector=Till)}),
        directory=cast(Any, declared),
        transport=httpx.MockTransport(lambda _request: httpx.Response(500)),
        sink=nobody,
        limiter=nobody,
        tokens=nobody,
        refs=nobody,
        clock=nobody,
        secrets=secrets,
    )
    first = connections.pos("link_1")
    assert connections.pos("link_1") is first
    assert first.context.config["password"] == "hunter2hunter2"
    declared.sealed, secrets["TILL_PASSWORD"] = {"TILL_PASSWORD": "sealed anew"}, "hunter3hunter3"
    assert connections.pos("link_1").context.config["password"] == "hunter3hunter3"
