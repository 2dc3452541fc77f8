"""What `env:NAME` means: the environment says it, or else the secrets that an operator stored, encrypted."""

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from hub.database import secrets as stored
from hub.database.directory import raise_revision
from hub.database.secrets import Sealed, StoredSecret
from hub.errors import InvalidRequest, NotFound
from hub.services.directory import Directory
from hub.services.vault import Vault

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LONGEST = 10_000
_OURS = "OPENPOS_"


class Secrets(Mapping[str, str]):
    """Secrets by name, as they are now; the environment stands above the store."""

    def __init__(self, environment: Mapping[str, str], directory: Directory, vault: Vault) -> None:
        self._environment = environment
        self._directory = directory
        self._vault = vault

    def __getitem__(self, name: str) -> str:
        """Raises `KeyError` for an unknown one, and `ConfigurationError` for one that no key opens."""
        if name in self._environment:
            return self._environment[name]
        return self._vault.unseal(self._directory.sealed_secrets()[name], place=place_of(name))

    def __contains__(self, name: object) -> bool:
        return name in self._environment or name in self._directory.sealed_secrets()

    def __iter__(self) -> Iterator[str]:
        return iter({**self._directory.sealed_secrets(), **self._environment})

    def __len__(self) -> int:
        return len({*self._directory.sealed_secrets(), *self._environment})


def place_of(name: str) -> str:
    """What a stored secret is sealed for."""
    return f"secret {name}"


def place_of_token(link_id: str) -> str:
    """What a link's access token is sealed for."""
    return f"token of {link_id}"


def place_of_webhook(endpoint_id: str) -> str:
    """What a webhook's secrets are sealed for."""
    return f"secret of webhook {endpoint_id}"


def set_secret(connection: Connection, vault: Vault, name: str, value: str, now_ms: int) -> None:
    """Stores a secret. Raises `InvalidRequest` for a name or value that is none, and `ConfigurationError` without a
    key to encrypt it with."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"{name[:100]!r} is no name of a secret: letters, digits and _", field="name")
    if name.startswith(_OURS):
        raise InvalidRequest(f"{name}: the hub's own settings are read from the environment only", field="name")
    if not value or len(value) > _LONGEST or not value.isprintable():
        raise InvalidRequest(f"the secret must be one line of 1 to {_LONGEST} visible characters", field="value")
    stored.save_secret(connection, StoredSecret(name, vault.seal(value, place=place_of(name)), now_ms))


def remove_secret(connection: Connection, name: str) -> None:
    """Forgets a secret. Raises `NotFound`."""
    if not stored.delete_secret(connection, name):
        raise NotFound(f"there is no secret {name[:100]!r}")


def rotate(connection: Connection, vault: Vault) -> int:
    """Encrypts everything anew that the newest key did not; gives how many. All or nothing.

    A link's token that no key opens is forgotten: the vendor gives a new one. Raises `ConfigurationError` when anything
    else opens with no key.
    """
    changed = 0
    for what, place_of_one in _PLACES.items():
        for owner, sealed in stored.load_sealed(connection, what):
            place = place_of_one(owner)
            if vault.is_sealed_newly(sealed, place=place):
                continue
            if what is Sealed.TOKEN and not vault.opens(sealed, place=place):
                stored.delete_sealed(connection, what, owner, before=sealed)
                continue
            after = vault.seal(vault.unseal(sealed, place=place), place=place)
            changed += stored.replace_sealed(connection, what, owner, before=sealed, after=after)
    raise_revision(connection)
    return changed


def count_closed(connection: Connection, vault: Vault) -> tuple[int, list[str]]:
    """How many secrets are stored, and what those are called that no key opens."""
    named = [(name, sealed, place_of(name)) for name, sealed in stored.load_sealed(connection, Sealed.SECRET)]
    for endpoint_id, sealed in stored.load_sealed(connection, Sealed.WEBHOOK):
        place = place_of_webhook(endpoint_id)
        named.append((place, sealed, place))
    return len(named), [name for name, sealed, place in named if not vault.opens(sealed, place=place)]


_PLACES = {
    Sealed.SECRET: place_of,
    Sealed.TOKEN: place_of_token,
    Sealed.WEBHOOK: place_of_webhook,
    Sealed.WEBHOOK_BEFORE: place_of_webhook,
}
