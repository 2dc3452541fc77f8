"""Reading a request's body: JSON or a form, and not too much of it."""

from collections.abc import Mapping

from litestar.types import Receive

from hub.errors import BodyTooLarge, HubError, InvalidRequest

_FORM = "application/x-www-form-urlencoded"


class UnsupportedMediaType(HubError):
    """The body was announced as something other than what is read here, or as compressed."""

    status = 415
    default_code = "MEDIA_TYPE_UNSUPPORTED"


async def read_body(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes:
    """The whole body, JSON. Raises `UnsupportedMediaType`, `BodyTooLarge` or `InvalidRequest`."""
    media_type = _media_type(headers, "application/json")
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(
            f"Content-Type: send application/json, not {media_type[:60]!r}", field="Content-Type"
        )
    return await _read(headers, receive, max_bytes)


async def read_form(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes:
    """The whole body, a form. Raises `UnsupportedMediaType`, `BodyTooLarge` or `InvalidRequest`."""
    media_type = _media_type(headers, _FORM)
    if media_type != _FORM:
        raise UnsupportedMediaType(f"Content-Type: send {_FORM}, not {media_type[:60]!r}", field="Content-Type")
    return await _read(headers, receive, max_bytes)


def _media_type(headers: Mapping[str, str], default: str) -> str:
    return headers.get("content-type", default).partition(";")[0].strip().lower()


async def _read(headers: Mapping[str, str], receive: Receive, max_bytes: int) -> bytes:
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(
            f"Content-Encoding: send the body as it is; {encoding[:60]!r} is not supported", field="Content-Encoding"
        )
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    parts: list[bytes] = []
    left = max_bytes
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise InvalidRequest("the body could not be read", field="body")
        parts.append(message["body"])
        left -= len(message["body"])
        if left < 0:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"body: larger than the {max_bytes} bytes this hub accepts", field="body")
