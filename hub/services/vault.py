"""Encrypts the secrets that the hub keeps in its database, so that a copy of the database alone gives none away."""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hub.errors import ConfigurationError

KEY_SETTING = "OPENPOS_SECRET_KEY"
_KEY_BYTES = 32
_BETWEEN = "\x00"


class Vault:
    """Seals with the newest key, opens with any (Fernet: AES-128-CBC with HMAC-SHA-256).

    `keys` come from the setting, newest first. `key_file` is where an embedded hub keeps a key that it makes for
    itself; without either nothing can be sealed. A key file stays readable beside keys of the setting, so that one can
    move from the file to the setting.
    """

    def __init__(self, keys: Sequence[str], *, key_file: Path | None = None) -> None:
        self._given = tuple(_fernet(key, KEY_SETTING) for key in keys)
        self._key_file = key_file
        self._of_file: Fernet | None = None

    @property
    def can_seal(self) -> bool:
        """Whether secrets can be stored at all."""
        return bool(self._given) or self._key_file is not None

    @property
    def description(self) -> str:
        """Where the key is, for a person."""
        if self._given:
            older = f" and {len(self._given) - 1} older" if len(self._given) > 1 else ""
            return f"the key of {KEY_SETTING}{older}"
        if self._key_file is None:
            return f"no key: set {KEY_SETTING}"
        return f"the key in {self._key_file}" if self._key_file.exists() else "no key yet: made with the first secret"

    def seal(self, secret: str, *, place: str) -> str:
        """The secret encrypted for one place (`secret:NAME`): elsewhere it does not open.

        Raises `ConfigurationError` without a key.
        """
        keys = self._keys() or self._new_keys()
        return keys[0].encrypt(f"{place}{_BETWEEN}{secret}".encode()).decode()

    def unseal(self, sealed: str, *, place: str) -> str:
        """The secret that was sealed for this place. Raises `ConfigurationError` when no key opens it."""
        return self._unseal(sealed, self._keys(), place)

    def opens(self, sealed: str, *, place: str) -> bool:
        """Whether any key opens it."""
        try:
            self.unseal(sealed, place=place)
        except ConfigurationError:
            return False
        return True

    def is_sealed_newly(self, sealed: str, *, place: str) -> bool:
        """Whether the newest key opens it."""
        try:
            self._unseal(sealed, self._keys()[:1], place)
        except ConfigurationError:
            return False
        return True

    def _unseal(self, sealed: str, keys: Sequence[Fernet], place: str) -> str:
        words = f"{place} cannot be decrypted with {self.description}; was the key changed or lost?"
        if not keys:
            raise ConfigurationError(words)
        try:
            found, _, secret = MultiFernet(keys).decrypt(sealed).decode().partition(_BETWEEN)
        except InvalidToken as problem:
            raise ConfigurationError(words) from problem
        if found != place:
            raise ConfigurationError(f"{place} holds what was encrypted for another place")
        return secret

    def _keys(self) -> Sequence[Fernet]:
        """All keys, newest first. Another process may have made the file meanwhile."""
        if self._of_file is None and self._key_file is not None and self._key_file.exists():
            self._of_file = _fernet(self._key_file.read_text("ascii", "replace"), str(self._key_file))
        return self._given if self._of_file is None else (*self._given, self._of_file)

    def _new_keys(self) -> Sequence[Fernet]:
        if self._key_file is None:
            raise ConfigurationError(
                f"secrets cannot be stored: there is no {KEY_SETTING}. With PostgreSQL several machines share the "
                "database and need the same key, so the hub makes none by itself (see docs/secrets.md)"
            )
        _make_key_file(self._key_file)
        return self._keys()


def _fernet(key: str, where: str) -> Fernet:
    """A key of 32 bytes in base64, of either alphabet."""
    try:
        raw = base64.b64decode(key.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ConfigurationError(f"{where}: a key is {_KEY_BYTES} bytes in base64, as `openssl rand -base64 32` prints")
    return Fernet(base64.urlsafe_b64encode(raw))


def _make_key_file(path: Path) -> None:
    """Makes a key file that is complete from its first moment; one that another process made stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".secret-", dir=path.parent)  # readable by its owner only
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink()
