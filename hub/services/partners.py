"""All parts of telling partners what happens, put together."""

from collections.abc import Callable, Sequence

from hub.contract.ports import CallSink, Clock, RateLimiter
from hub.contract.public_http import new_public_transport
from hub.database.engine import Database
from hub.model.ids import NewId
from hub.services.vault import Vault
from hub.services.webhook_sender import AT_ONCE, Render, WebhookSender
from hub.services.webhooks import Webhooks


class Partners:
    """Who is told, and the sender. `networks` are those outside the public Internet that may be called."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        vault: Vault,
        networks: Sequence[str],
        render: Render,
        sink: CallSink,
        limiter: RateLimiter,
        new_id: NewId,
        random_bytes: Callable[[int], bytes],
        jitter: Callable[[], float],
    ) -> None:
        self._transport = new_public_transport(networks, most_connections=AT_ONCE)
        self.webhooks = Webhooks(
            database=database, clock=clock, vault=vault, networks=networks, new_id=new_id, random_bytes=random_bytes
        )
        self.sender = WebhookSender(
            database=database,
            clock=clock,
            vault=vault,
            render=render,
            transport=self._transport,
            sink=sink,
            limiter=limiter,
            jitter=jitter,
        )

    async def stop(self) -> None:
        """Lets what is under way finish, and closes all connections."""
        await self.sender.stop()
        await self._transport.aclose()
