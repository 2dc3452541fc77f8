"""The one place where the parts of a hub are put together; `web` puts its outside face in front."""

import logging
import os
import random
import socket
import uuid
from importlib.metadata import version
from secrets import token_urlsafe

from hub.api.mcp.address import PATH as MCP_PATH
from hub.api.webhook_view import event_body
from hub.clock import SystemClock
from hub.contract.http import new_transport
from hub.contract.public_http import new_public_transport
from hub.contract.registry import Registry, installed_connectors
from hub.database import lane_times, link_state
from hub.database.engine import Database
from hub.database.migrate import is_current, migrate
from hub.database.server_time import load_server_time_ms
from hub.errors import HubError
from hub.jobs.schedule import Job, Schedule
from hub.model.ids import RandomBytes, time_ordered_id
from hub.services.archive import Archive
from hub.services.availability import Availability
from hub.services.catalog import Catalogs
from hub.services.changes import Changes
from hub.services.channels import Channels
from hub.services.checks import Checks
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.dispatch import Dispatcher
from hub.services.drift import DriftReports
from hub.services.evidence import EvidenceMaker
from hub.services.expiry import Expiry
from hub.services.fidelity import FidelityReports
from hub.services.front_of_house import FrontOfHouse
from hub.services.health import Health
from hub.services.history import History
from hub.services.insight_text import ModelSettings, insight_writer
from hub.services.key_uses import WRITTEN_EVERY_SECONDS, KeyUses
from hub.services.limits import RequestLimits
from hub.services.link_stores import LinkStores
from hub.services.oauth.service import OAuth
from hub.services.orders import Orders
from hub.services.outcomes import Outcomes
from hub.services.pacing import Pacing
from hub.services.partners import Partners
from hub.services.pickup import Pickup
from hub.services.polling import Polling
from hub.services.pos_desk import PosDesk
from hub.services.quotes import Quotes
from hub.services.reconcile import Reconciler
from hub.services.retention import Retention
from hub.services.seating import Seating
from hub.services.secrets import Secrets
from hub.services.stuck import Stuck
from hub.services.sync import Sync
from hub.services.tables import TableMap
from hub.services.vault import Vault
from hub.settings import Settings
from hub.trace.recorder import Recorder

_log = logging.getLogger(__name__)


class Hub:
    """All parts of one process, wired. `start` begins delivery and jobs; everything else works without it."""

    def __init__(self, settings: Settings, *, registry: Registry | None = None) -> None:
        settings.make_data_folder()
        self.settings = settings
        self.clock = SystemClock(settings.clock_offset_file)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:64]
        self.registry = registry or installed_connectors()
        self.database = Database(settings.database_url)
        self.calls_database = Database(settings.calls_url, durable=False)  # its own writer: orders never wait for it
        self.recorder = Recorder(self.calls_database)
        self.directory = Directory(self.database)
        self.key_uses = KeyUses(self.database, self.clock)
        self.limits = RequestLimits(
            database=self.database if settings.embedded else self.calls_database,  # orders never wait for a lease
            clock=self.clock,
            shared=not settings.embedded,
        )
        self.vault = Vault(settings.secret_keys, key_file=settings.secret_key_file)
        self.secrets = Secrets(settings.secrets, self.directory, self.vault)
        stores = LinkStores(self.database, self.clock, self.vault)
        self._random = RandomBytes(os.urandom)
        self._transport = new_transport()
        self._public_transport = new_public_transport()
        self.oauth = self._new_oauth()
        self.connections = Connections(
            registry=self.registry,
            directory=self.directory,
            transport=self._transport,
            sink=self.recorder,
            limiter=Pacing(self.database, self.clock),
            tokens=stores,
            refs=stores,
            clock=self.clock,
            secrets=self.secrets,
        )
        self.channels = Channels(registry=self.registry, directory=self.directory, connections=self.connections)
        self.outcomes = Outcomes(self.database, self.directory)
        self.dispatcher = Dispatcher(
            owner=self.owner,
            database=self.database,
            directory=self.directory,
            registry=self.registry,
            connections=self.connections,
            clock=self.clock,
            jitter=random.random,
            new_id=self.new_id,
            on_settled=self.outcomes.settled,
        )
        self.orders = Orders(
            database=self.database,
            directory=self.directory,
            registry=self.registry,
            clock=self.clock,
            new_id=self.new_id,
            on_placed=self._placed,
        )
        self.catalogs = Catalogs(
            database=self.database, directory=self.directory, connections=self.connections, clock=self.clock
        )
        self.changes = Changes(
            database=self.database,
            directory=self.directory,
            registry=self.registry,
            clock=self.clock,
            new_id=self.new_id,
            on_queued=self._placed,
        )
        self.fidelity = FidelityReports(database=self.database, directory=self.directory, connections=self.connections)
        self.drift = DriftReports(database=self.database, directory=self.directory, connections=self.connections)
        self.pos_desk = PosDesk(database=self.database, directory=self.directory, connections=self.connections)
        self.sync = Sync(
            database=self.database,
            directory=self.directory,
            connections=self.connections,
            pickup=Pickup(database=self.database, directory=self.directory, clock=self.clock, new_id=self.new_id),
            clock=self.clock,
            new_id=self.new_id,
        )
        self.quotes = Quotes(database=self.database, directory=self.directory, clock=self.clock, new_id=self.new_id)
        self.availability = Availability(
            database=self.database, directory=self.directory, connections=self.connections, clock=self.clock
        )
        self.partners = Partners(
            database=self.database,
            clock=self.clock,
            vault=self.vault,
            networks=settings.webhook_networks,
            render=lambda event, subject, scopes: event_body(event, subject, scopes, self.directory.venue),
            sink=self.recorder,
            limiter=Pacing(self.database, self.clock),
            new_id=self.new_id,
            random_bytes=os.urandom,
            jitter=random.random,
        )
        self.webhooks = self.partners.webhooks
        self.history = History(self.database, self.calls_database)
        self.checks = Checks(changes=self.changes, new_id=self.new_id)
        self.tables = TableMap(database=self.database, clock=self.clock, new_id=self.new_id)
        self.seating = Seating(
            database=self.database,
            directory=self.directory,
            registry=self.registry,
            tables=self.tables,
            look=self.sync.poll,
            clock=self.clock,
            new_id=self.new_id,
            on_queued=self._placed,
        )
        self.front = FrontOfHouse(
            database=self.database,
            calls_database=self.calls_database,
            directory=self.directory,
            connections=self.connections,
            seating=self.seating,
            clock=self.clock,
            new_id=self.new_id,
            writer=insight_writer(
                ModelSettings(settings.model_url, settings.model_key, settings.model_name),
                transport=self._transport,
                sink=self.recorder,
                limiter=Pacing(self.database, self.clock),
                clock=self.clock,
            ),
        )
        self.stuck = Stuck(database=self.database, clock=self.clock, new_id=self.new_id)
        self.expiry = Expiry(database=self.database, clock=self.clock, new_id=self.new_id)
        self.archive = Archive(database=self.database, clock=self.clock, new_id=self.new_id)
        self.reconciler = Reconciler(self.database, self.directory, self.connections, self.archive, self.clock)
        self.retention = Retention(database=self.database, calls_database=self.calls_database, clock=self.clock)
        self.evidence = EvidenceMaker(
            database=self.database,
            calls_database=self.calls_database,
            clock=self.clock,
            hub_version=version("openpos-hub"),
            key=settings.evidence_key,
        )
        self.health = Health(database=self.database, directory=self.directory, connections=self.connections)
        self.polling = Polling(
            database=self.database,
            directory=self.directory,
            connections=self.connections,
            catalogs=self.catalogs,
            sync=self.sync,
            clock=self.clock,
            claim_slot=self._claim_slot,
        )
        self._upkeep = Schedule(self._upkeep_jobs(), now_ms=self.clock.now_ms, claim_slot=self._claim_slot)
        self._schedule = Schedule(self._jobs(), now_ms=self.clock.now_ms, claim_slot=self._claim_slot)
        self._delivering = False

    def _new_oauth(self) -> OAuth | None:
        """Who may come in with OAuth; None without a public address, for nobody could be sent anywhere."""
        issuer = self.settings.public_url
        if not issuer:
            return None
        return OAuth(
            issuer=issuer,
            resource=f"{issuer}{MCP_PATH}",
            database=self.database,
            directory=self.directory,
            clock=self.clock,
            transport=self._public_transport,
            new_id=self.new_id,
            new_secret=lambda: token_urlsafe(32),
        )

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self.clock.now_ms()

    def new_id(self, prefix: str) -> str:
        """A new time-ordered identifier."""
        return time_ordered_id(prefix, now_ms=self.clock.now_ms(), random_bytes=self._random.take(10))

    async def prepare(self) -> None:
        """Brings the database to the newest schema and reads what was declared."""
        applied = await self.database.write(migrate)
        if applied:
            _log.info("database migrated: %s", ", ".join(applied))
        await self.agree_on_time()
        await self.directory.refresh()

    def keep_up(self) -> None:
        """Keeps this process up to date with what others declare; every process that answers needs it."""
        self._upkeep.start()

    async def start(self) -> None:
        """Begins to deliver and to run jobs."""
        self.keep_up()
        if self.settings.embedded:
            now_ms = self.clock.now_ms()
            await self.database.write(lambda connection: lane_times.release_leases(connection, now_ms))
        self._delivering = True
        self.dispatcher.start()
        self._schedule.start()

    async def stop(self) -> None:
        """Finishes what is under way and lets go of everything."""
        self._upkeep.stop()
        self._schedule.stop()
        if self._delivering:
            await self.dispatcher.stop()
        await self.partners.stop()
        await self._note_what_callers_did()
        await self.recorder.close()
        await self._transport.aclose()
        await self._public_transport.aclose()
        await self.database.close()
        await self.calls_database.close()

    async def _note_what_callers_did(self) -> None:
        try:
            await self.limits.close()
            await self.key_uses.save()
        except HubError as problem:  # the database is away: all that is lost is counts
            _log.warning("the callers' counts could not be kept: %s", problem.message)

    async def agree_on_time(self) -> None:
        """Takes over the database server's clock, so that leases mean the same on every machine."""
        if self.settings.embedded:
            return
        self.clock.agree_with(await self.database.read(load_server_time_ms))

    async def database_is_current(self) -> bool:
        """Whether the database answers and has the schema this version needs."""
        return await self.database.read(is_current)

    def _placed(self, link_id: str) -> None:
        if self._delivering:
            self.dispatcher.wake(link_id)

    async def _claim_slot(self, job: str, slot: int) -> bool:
        now_ms = self.clock.now_ms()
        return await self.database.write(lambda connection: link_state.start_run(connection, job, slot, now_ms))

    def _upkeep_jobs(self) -> list[Job]:
        return [
            Job("reload", 1, self.directory.refresh, everywhere=True),
            Job("agree-on-time", 60, self.agree_on_time, everywhere=True),
            Job("save-key-uses", WRITTEN_EVERY_SECONDS, self.key_uses.save, everywhere=True),
            Job("save-requests", 10, self.limits.save, everywhere=True),
            Job("tidy-requests", 60, self.limits.tidy, everywhere=True),
        ]

    def _jobs(self) -> list[Job]:
        return [
            Job("give-up-overdue", 5, self.stuck.give_up_overdue),
            Job("poll-open-orders", 2, self.polling.poll_orders, everywhere=True),
            Job("sync-menus", 900, self.polling.sync_menus),
            Job("resume-links", 30, self.health.resume_paused),
            Job("close-forgotten", 600, self.expiry.close_forgotten),
            Job("forget-keys", 3600, self.expiry.forget_keys),
            Job("forget-requests", 600, self.limits.forget_windows),
            Job("delete-orders", 10, self.retention.delete_orders),
            Job("forget-guests", 3600, self.retention.forget_refs),
            Job("read-guests", 15, self.front.book.read_on),
            Job("compute-segments", 600, self.front.segments.refresh),
            Job("forget-bookings", 3600, self.front.book.forget_bookings),
            Job("tidy-calls", 3600, self.retention.tidy_calls),
            Job("forget-quotes", 3600, self.quotes.forget),
            *([Job("forget-oauth", 3600, self.oauth.grants.forget)] if self.oauth is not None else []),
            Job("tell-availability", 3, self.availability.tell_due, everywhere=True),
            Job("send-webhooks", 1, self.partners.sender.send_due, everywhere=True),
            Job("forget-webhook-events", 3600, self.webhooks.forget),
        ]
