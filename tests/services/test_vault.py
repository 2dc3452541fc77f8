"""Secrets are encrypted for one place, with the newest of several keys."""

import stat
from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.services.vault import Vault

OLD = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0="
NEW = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0="
PLACE = "secret:CLOPOS_KEY"


def test_what_was_sealed_opens_again_and_does_not_show_the_secret() -> None:
    vault = Vault([NEW])
    sealed = vault.seal("til-1 ş", place=PLACE)
    assert "til-1" not in sealed
    assert vault.unseal(sealed, place=PLACE) == "til-1 ş"


def test_the_same_secret_looks_different_each_time() -> None:
    vault = Vault([NEW])
    assert vault.seal("same", place=PLACE) != vault.seal("same", place=PLACE)


def test_a_sealed_secret_does_not_open_at_another_place() -> None:
    vault = Vault([NEW])
    with pytest.raises(ConfigurationError, match="token:link_1 holds what was encrypted for another place"):
        vault.unseal(vault.seal("x", place=PLACE), place="token:link_1")


def test_an_older_key_still_opens_and_the_newest_one_seals() -> None:
    sealed = Vault([OLD]).seal("x", place=PLACE)
    both = Vault([NEW, OLD])
    assert both.unseal(sealed, place=PLACE) == "x"
    assert not both.is_sealed_newly(sealed, place=PLACE)
    again = both.seal("x", place=PLACE)
    assert both.is_sealed_newly(again, place=PLACE)
    assert Vault([NEW]).unseal(again, place=PLACE) == "x"


def test_a_lost_key_is_named_without_the_secret() -> None:
    sealed = Vault([OLD]).seal("x", place=PLACE)
    with pytest.raises(ConfigurationError) as caught:
        Vault([NEW]).unseal(sealed, place=PLACE)
    assert caught.value.message == (
        "secret:CLOPOS_KEY cannot be decrypted with the key of OPENPOS_SECRET_KEY; was the key changed or lost?"
    )


def test_changed_bytes_do_not_open() -> None:
    sealed = Vault([NEW]).seal("x", place=PLACE)
    spoilt = sealed[:-8] + ("AAAA" if sealed[-8:-4] != "AAAA" else "BBBB") + sealed[-4:]
    with pytest.raises(ConfigurationError, match="cannot be decrypted"):
        Vault([NEW]).unseal(spoilt, place=PLACE)


def test_an_embedded_hub_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    vault = Vault([], key_file=path)
    assert vault.description == "no key yet: made with the first secret"
    sealed = vault.seal("x", place=PLACE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]
    assert Vault([], key_file=path).unseal(sealed, place=PLACE) == "x"


def test_a_key_file_made_by_another_process_is_used(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    first, second = Vault([], key_file=path), Vault([], key_file=path)
    sealed = first.seal("x", place=PLACE)
    assert second.unseal(sealed, place=PLACE) == "x"
    assert first.unseal(second.seal("y", place=PLACE), place=PLACE) == "y"


def test_a_key_in_the_setting_stands_above_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    of_file = Vault([], key_file=path).seal("x", place=PLACE)
    both = Vault([NEW], key_file=path)
    assert both.unseal(of_file, place=PLACE) == "x"
    assert Vault([NEW]).unseal(both.seal("y", place=PLACE), place=PLACE) == "y"


def test_without_any_key_nothing_is_sealed_and_the_reason_is_told() -> None:
    vault = Vault([])
    assert not vault.can_seal
    with pytest.raises(ConfigurationError, match="there is no OPENPOS_SECRET_KEY"):
        vault.seal("x", place=PLACE)


@pytest.mark.parametrize("key", ["", "short", "not base64 !", "QUJD", NEW + "QUJD"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Vault([key])
    assert caught.value.message == (
        "OPENPOS_SECRET_KEY: a key is 32 bytes in base64, as `openssl rand -base64 32` prints"
    )


def test_a_key_of_either_base64_alphabet_is_the_same_key() -> None:
    sealed = Vault(["+/+/" * 10 + "+/8="]).seal("x", place=PLACE)
    assert Vault(["-_-_" * 10 + "-_8="]).unseal(sealed, place=PLACE) == "x"
