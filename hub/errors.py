"""The whole error tree: each class says what happens next.

::

    HubError                        status for the caller
    ├ InvalidRequest 400 · Unauthorized 401 · Forbidden 403 · NotFound 404 · Conflict 409
    ├ BodyTooLarge 413 · KeyReused 422 · TooManyRequests 429 · Unavailable 503
    ├ ConfigurationError            a file or setting of ours is wrong; a person must change it
    └ ConnectorError                a vendor's call; `next_step` says what the outbox does
      ├ VendorUnavailable           LATER      never reached the vendor, or a read failed
      ├ VendorRateLimited           LATER      with `retry_after_seconds`
      ├ OutcomeUnknown              RECONCILE  sent, no clear answer: look before anything else
      ├ VendorRejected              NEVER      the vendor understood and said no
      ├ VendorAuthFailed            PAUSE      credentials refused: pause the link, ask a person
      ├ VendorMalformed             LATER      a read's answer is not what the documentation says
      ├ UnsupportedByVendor         NEVER      this vendor cannot do that
      └ UnmappedValue               NEVER      no row in the table for this value
"""

from enum import StrEnum


class NextStep(StrEnum):
    """What the outbox does after a failed attempt."""

    LATER = "later"
    RECONCILE = "reconcile"
    PAUSE = "pause"
    NEVER = "never"


class HubError(Exception):
    """Something the hub can explain. `message` is for a person and holds no secret."""

    status = 500
    default_code: str | None = None

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or self.default_code

    @property
    def for_operator(self) -> str:
        """The message for whoever runs the hub, who may learn more than a caller."""
        return self.message


class InvalidRequest(HubError):
    """The request cannot be understood or carried out as it stands; the message names the field."""

    status = 400
    default_code = "INVALID_REQUEST"


class Unauthorized(HubError):
    """No key, or not a valid one."""

    status = 401
    default_code = "KEY_INVALID"


class Forbidden(HubError):
    """A valid key without the scope, or for another venue."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(HubError):
    """There is no such thing, or none that this caller may see."""

    status = 404
    default_code = "NOT_FOUND"


class Conflict(HubError):
    """The state changed under the caller, or the same request is still running. Read again, then repeat."""

    status = 409
    default_code = "CONFLICT"


class BodyTooLarge(HubError):
    """The request body is larger than the hub accepts."""

    status = 413
    default_code = "BODY_TOO_LARGE"


class KeyReused(HubError):
    """An idempotency key (or an origin order id) came again with another body. Use a new one."""

    status = 422
    default_code = "KEY_REUSED"


class TooManyRequests(HubError):
    """The caller's limit for this window is used up. Repeat after `retry_after_seconds`."""

    status = 429
    default_code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(HubError):
    """The hub's database, or the POS that was asked, cannot be reached. Nothing was stored; repeat after
    `retry_after_seconds`."""

    status = 503
    default_code = "UNAVAILABLE"

    def __init__(
        self, message: str, *, retry_after_seconds: int = 2, code: str | None = None, for_operator: str = ""
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after_seconds = retry_after_seconds
        self._for_operator = for_operator

    @property
    def for_operator(self) -> str:
        """Which database is away and why, where that is known: files, hosts, but no password."""
        return self._for_operator or self.message


class ConfigurationError(HubError):
    """A setting, file or mapping of this installation is wrong; the message says where."""


class ConnectorError(HubError):
    """A vendor call that did not succeed."""

    next_step = NextStep.NEVER
    reached = True
    """Whether a connection to the vendor stood."""

    def __init__(
        self,
        message: str,
        *,
        connector: str = "",
        operation: str = "",
        field: str | None = None,
        code: str | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(message, field=field, code=code)
        self.connector = connector
        self.operation = operation
        self.reason = reason
        """The vendor's own words, when its answer held any."""


class VendorUnavailable(ConnectorError):
    """The vendor was not reached, so nothing was sent; or a read failed. The hub tries again by itself."""

    next_step = NextStep.LATER


class VendorUnreachable(VendorUnavailable):
    """No connection to the vendor stood. The hub holds the whole link back and tries again by itself."""

    reached = False


class VendorRateLimited(ConnectorError):
    """The vendor (or our own pacing for it) asks to wait. The hub waits, for the whole link unless said otherwise."""

    next_step = NextStep.LATER

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float,
        whole_link: bool = True,
        connector: str = "",
        operation: str = "",
    ) -> None:
        super().__init__(message, connector=connector, operation=operation)
        self.retry_after_seconds = retry_after_seconds
        self.whole_link = whole_link
        """False where this operation has a limit of its own: others need not wait for it."""


class OutcomeUnknown(ConnectorError):
    """The write was sent and no clear answer came. It may have happened: the hub looks before it sends again."""

    next_step = NextStep.RECONCILE


class VendorRejected(ConnectorError):
    """The vendor understood and said no. Sending the same again will not help; read its reason."""


class VendorAuthFailed(ConnectorError):
    """The vendor refuses our credentials. The link is paused; check its settings, then `openpos-hub link resume`."""

    next_step = NextStep.PAUSE


class VendorMalformed(ConnectorError):
    """A read was answered with something the vendor's documentation does not describe. The hub tries again until
    the order's deadline; if it stays so, tell a developer."""

    next_step = NextStep.LATER


class UnsupportedByVendor(ConnectorError):
    """This vendor offers no such operation."""


class UnmappedValue(ConnectorError):
    """A value has no counterpart at this vendor. Add it to the link or the mapping table, then deliver again."""
