"""How a channel's own calls are played against this hub, so that its partner can be shown that they work."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from hub.contract.inbound import Command


@dataclass(frozen=True)
class ChannelCall:
    """One call as the channel would make it; `path` begins behind the link's address and may carry a query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


class ChannelTold(Struct, frozen=True, kw_only=True):
    """What an answer to the channel named, in the order it named it."""

    tables: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()


class ChannelPlayer(ABC):
    """Writes a channel's calls and reads the answers: the reverse of its `parse` and `render`."""

    @abstractmethod
    def call(self, command: Command, *, token: str | None = None) -> ChannelCall:
        """The call that asks for this; with `token` in place of the link's own."""

    @abstractmethod
    def read(self, command: Command, body: bytes) -> ChannelTold:
        """What the answer to this names. Raises `InvalidRequest` when the channel could not read it."""
