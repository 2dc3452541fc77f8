"""How OAuth says no: a word for programs from its registers, and a sentence for people."""

from hub.errors import InvalidRequest


class OAuthRefused(InvalidRequest):
    """A request that OAuth refuses; `error` is the word of RFC 6749, 7591 or 8707."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
