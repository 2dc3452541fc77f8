"""A partner, and a sender of webhooks whose time stands."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import httpx

from hub.database import webhooks
from hub.database.engine import Database
from hub.model.webhook import DeliveryEntry, Endpoint
from hub.services.secrets import place_of_webhook
from hub.services.vault import Vault
from hub.services.webhook_sender import WebhookSender
from hub.services.webhooks import Webhooks
from tests.contract.ports import CallList, NoPacing, StandingClock
from tests.database.listening import listen
from tests.database.stored import counting_ids

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


class Partner:
    """The other side: answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = []
        self.refused = ""
        self.taken: list[str] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        kind = json.loads(request.content)["type"]
        if kind == self.refused:
            return httpx.Response(400)
        self.taken.append(kind)
        answer = self.answers.pop(0) if self.answers else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Scene:
    """A database, a partner, and a sender whose time stands."""

    def __init__(self, database: Database, clock: StandingClock, folder: Path) -> None:
        self.database, self.clock, self.folder = database, clock, folder
        self.partner, self.sink = Partner(), CallList()
        self.vault = Vault((), key_file=folder / "secret.key")
        self.webhooks = Webhooks(
            database=database,
            clock=clock,
            vault=self.vault,
            networks=(),
            new_id=counting_ids(),
            random_bytes=lambda count: b"n" * count,
        )
        self.sender = WebhookSender(
            database=database,
            clock=clock,
            vault=self.vault,
            render=lambda event, subject, scopes: json.dumps({"type": event.type, "seq": event.seq}).encode(),
            transport=httpx.MockTransport(self.partner.answer),
            sink=self.sink,
            limiter=NoPacing(),
            jitter=lambda: 0.5,
        )

    def listen(self, **values: object) -> Endpoint:
        """An endpoint whose secret is `SECRET`."""
        sealed = self.vault.seal(SECRET, place=place_of_webhook("hook_1"))
        return listen(self.database, **{"secret": sealed, **values})

    async def send(self) -> None:
        """All that is due now."""
        await self.sender.send_due()
        await self.sender.wait()

    async def later(self, seconds: int) -> None:
        self.clock.advance(seconds)
        await self.send()

    def log(self) -> Sequence[DeliveryEntry]:
        return self.database.read_now(lambda c: webhooks.load_log(c, "hook_1", state=None, before="", limit=100))

    def endpoint(self) -> Endpoint:
        found = self.database.read_now(lambda connection: webhooks.find_endpoint(connection, "hook_1"))
        assert found is not None
        return found
