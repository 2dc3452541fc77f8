"""Everything about guests before, between and after their orders, put together for whoever asks."""

from hub.contract.ports import Clock
from hub.database.engine import Database
from hub.model.ids import NewId
from hub.services.campaigns import Campaigns
from hub.services.connections import Connections
from hub.services.directory import Directory
from hub.services.guest_book import GuestBook
from hub.services.guests import Guests
from hub.services.insight_text import InsightWriter
from hub.services.insights import Insights
from hub.services.reservations import Reservations
from hub.services.seating import Seating
from hub.services.segments import Segments
from hub.services.waitlist import Waitlist


class FrontOfHouse:
    """The use cases about guests. `writer` writes about insights; none without a language model."""

    def __init__(
        self,
        *,
        database: Database,
        calls_database: Database,
        directory: Directory,
        connections: Connections,
        seating: Seating,
        clock: Clock,
        new_id: NewId,
        writer: InsightWriter | None = None,
    ) -> None:
        self.book = GuestBook(database=database, directory=directory, clock=clock, new_id=new_id)
        self.guests = Guests(
            database=database,
            calls_database=calls_database,
            directory=directory,
            connections=connections,
            book=self.book,
            clock=clock,
            new_id=new_id,
        )
        self.segments = Segments(database=database, directory=directory, book=self.book, clock=clock)
        self.campaigns = Campaigns(
            database=database,
            directory=directory,
            guests=self.guests,
            segments=self.segments,
            clock=clock,
            new_id=new_id,
        )
        self.insights = Insights(database=database, directory=directory, clock=clock, writer=writer)
        self.waitlist = Waitlist(database=database, directory=directory, seating=seating, clock=clock, new_id=new_id)
        self.reservations = Reservations(
            database=database, directory=directory, book=self.book, seating=seating, clock=clock, new_id=new_id
        )
