"""What a posted message is: one of the protocol's two generations, or the short form; and answers that need no SDK."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from hub.errors import HubError

PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH = -32700, -32600, -32020
REFUSED = -31403
"""Ours, outside the range that the protocol keeps for itself."""
HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
_VERSION_IN_META = "io.modelcontextprotocol/protocolVersion"


class Form(StrEnum):
    """How a message speaks."""

    SHORT = "short"
    """The OpenPOS page's form: no `jsonrpc`."""
    HANDSHAKE = "handshake"
    """The protocol up to 2025-11-25: begins with `initialize`."""
    MODERN = "modern"
    """The protocol from 2026-07-28 on: every message says all."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    order_id: str = ""
    error: str = ""


class NotAMessage(Exception):
    """What was posted is no message; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.error)
        self.answer = answer


@dataclass(frozen=True)
class Message:
    """A posted message."""

    form: Form
    content: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The method; empty for an answer of the client's."""
        method = self.content.get("method")
        return method if isinstance(method, str) else ""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters; empty when there are none."""
        params = self.content.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def id(self) -> str | int | None:
        """The id to answer under."""
        return self.content.get("id")

    @property
    def is_request(self) -> bool:
        """Whether it wants an answer."""
        return self.form is Form.SHORT or ("id" in self.content and "method" in self.content)

    @property
    def tool(self) -> str:
        """The tool it calls; empty when it calls none."""
        name = self.params.get("name") if self.method == "tools/call" else None
        return name if isinstance(name, str) else ""


def read_message(body: bytes, version: str | None) -> Message:
    """Reads what was posted under this `MCP-Protocol-Version`. Raises `NotAMessage`."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotAMessage(protocol_error(400, None, PARSE_ERROR, "Parse error: not valid JSON")) from problem
    if not isinstance(content, dict):
        raise _invalid("send one JSON object; batches are not supported")
    if "jsonrpc" not in content:
        if version is not None:
            raise _invalid('jsonrpc: must be "2.0"')
        return Message(Form.SHORT, content)
    if content["jsonrpc"] != "2.0":
        raise _invalid('jsonrpc: must be "2.0"')
    if "id" in content and (isinstance(content["id"], bool) or not isinstance(content["id"], str | int)):
        raise _invalid("id: must be text or a whole number")
    message = Message(Form.HANDSHAKE if version is None or version in HANDSHAKE_VERSIONS else Form.MODERN, content)
    meta = message.params.get("_meta")
    if version is None and isinstance(meta, dict) and _VERSION_IN_META in meta:
        words = "MCP-Protocol-Version: this header must name the version that _meta names"
        raise NotAMessage(protocol_error(400, message.id, HEADER_MISMATCH, words))
    return message


def protocol_error(
    status: int, message_id: str | int | None, code: int, words: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error of the protocol (JSON-RPC)."""
    body = {"jsonrpc": "2.0", "id": message_id, "error": {"code": code, "message": words}}
    return Answer(status, msgspec.json.encode(body), headers or {}, error=words)


def refusal(message: Message, problem: HubError, headers: Mapping[str, str]) -> Answer:
    """A caller who may not, in the protocol's words."""
    return protocol_error(problem.status, message.id, REFUSED, problem.message, headers)


def tool_error(message: Message, words: str) -> Answer:
    """A tool's error for clients of the older generation, whose sessions end with any other status than 200."""
    result = {"content": [{"type": "text", "text": words}], "isError": True}
    body = {"jsonrpc": "2.0", "id": message.id, "result": result}
    return Answer(200, msgspec.json.encode(body), error=words)


def _invalid(words: str) -> NotAMessage:
    return NotAMessage(protocol_error(400, None, INVALID_REQUEST, words))
