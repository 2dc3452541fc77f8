"""A channel: a party that opens orders here and wants to hear what becomes of them. It is the mirror image of a POS."""

from abc import abstractmethod
from typing import Any, ClassVar

from hub.contract.accreditation import ChannelPlayer
from hub.contract.connector import Connector
from hub.contract.inbound import Command, CommandResult, InboundReply, InboundRequest, InboundRoute
from hub.contract.writes import CHANNEL_OPERATIONS, OrderWrite, WriteResult
from hub.errors import HubError


class ChannelConnector(Connector):
    """One channel at one venue.

    What it is told goes through the outbox, strictly in sequence per order. `request.change` is the order as it was
    at that moment (`OrderSnapshot`), `request.ref` the channel's own id of it, as soon as it has one.
    """

    routes: ClassVar[tuple[InboundRoute, ...]] = ()
    """The calls this channel makes to the hub."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for operation in CHANNEL_OPERATIONS:
            method = getattr(cls, operation.value)
            if method is not getattr(ChannelConnector, operation.value) and not hasattr(method, "__write_rule__"):
                raise TypeError(f"{cls.__name__}.{operation.value} must declare its replay class with @write(…)")

    @classmethod
    def hears_of_walk_ins(cls) -> bool:
        """Whether it wants to be told of orders that were opened at the POS; derived from `push_opened`."""
        return cls.push_opened is not ChannelConnector.push_opened

    @abstractmethod
    def authenticate(self, request: InboundRequest) -> None:
        """Refuses a request without the link's token (constant-time comparison), before anything of it is read.

        Raises `Unauthorized` or `Forbidden`.
        """

    @abstractmethod
    def parse(self, request: InboundRequest) -> Command:
        """What the request asks for, read leniently: unknown fields are no error.

        Raises `InvalidRequest` naming the field, or `NotFound`.
        """

    @abstractmethod
    def render(self, command: Command, result: CommandResult) -> InboundReply:
        """The result in the channel's own shape."""

    @classmethod
    @abstractmethod
    def render_error(cls, error: HubError) -> InboundReply:
        """An error in the channel's own shape; its message holds no secret. It needs no link, so that a call to an
        address that leads to none is answered in this shape too."""

    @abstractmethod
    async def push_changed(self, request: OrderWrite) -> WriteResult:
        """Tells that an order changed."""

    @abstractmethod
    async def push_closed(self, request: OrderWrite) -> WriteResult:
        """Tells that an order is closed: all its checks are closed or void."""

    async def push_opened(self, request: OrderWrite) -> WriteResult:
        """Tells of an order that was opened at the POS (a walk-in); returns the channel's id of it."""
        raise self.unsupported("push_opened")

    async def push_void(self, request: OrderWrite) -> WriteResult:
        """Tells that an order is void."""
        raise self.unsupported("push_void")

    def player(self) -> ChannelPlayer:
        """Plays this channel's calls against the hub, for an accreditation."""
        raise self.unsupported("accreditation")
