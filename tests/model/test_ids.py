"""Identifiers are UUIDs under a prefix that sort by time; marks are short and always the same."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.ids import RandomBytes, as_uuid, derived_id, order_mark, parse_id, time_ordered_id

times = st.integers(0, 2**48 - 1)
randoms = st.binary(min_size=10, max_size=10)


def test_an_identifier_has_the_layout_of_a_uuid_of_version_7() -> None:
    identifier = time_ordered_id("order", now_ms=0x0123456789AB, random_bytes=b"\xff" * 10)
    assert identifier == "order_0123456789ab7fffbfffffffffffffff"
    assert as_uuid(identifier) == uuid.UUID("01234567-89ab-7fff-bfff-ffffffffffff")


@given(now_ms=times, random_bytes=randoms)
def test_every_identifier_is_a_valid_version_7_uuid(now_ms: int, random_bytes: bytes) -> None:
    value = as_uuid(time_ordered_id("order", now_ms=now_ms, random_bytes=random_bytes))
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == now_ms


@given(first=times, second=times, one=randoms, two=randoms)
def test_identifiers_sort_by_their_time(first: int, second: int, one: bytes, two: bytes) -> None:
    earlier = time_ordered_id("dlv", now_ms=min(first, second), random_bytes=one)
    later = time_ordered_id("dlv", now_ms=max(first, second), random_bytes=two)
    assert first == second or earlier < later


@given(one=randoms, two=randoms)
def test_different_randomness_makes_different_identifiers(one: bytes, two: bytes) -> None:
    def kept(random_bytes: bytes) -> int:
        """74 of the 80 bits: version and variant take six."""
        value = int.from_bytes(random_bytes, "big")
        return (value >> 64 & 0x0FFF) << 62 | value & 0x3FFF_FFFF_FFFF_FFFF

    same = time_ordered_id("x", now_ms=1, random_bytes=one) == time_ordered_id("x", now_ms=1, random_bytes=two)
    assert same == (kept(one) == kept(two))


def test_an_item_keeps_its_identifier_however_often_a_menu_is_synced() -> None:
    assert derived_id("item", "link_1", "42") == derived_id("item", "link_1", "42")
    assert derived_id("item", "link_1", "42") != derived_id("item", "link_2", "42")
    assert derived_id("item", "ab", "c") != derived_id("item", "a", "bc")
    assert len(derived_id("item", "a")) == len("item_") + 32


@pytest.mark.parametrize(
    "text",
    [
        "order_0123456789ab7fffbfffffffffffffff",
        "0123456789ab7fffbfffffffffffffff",
        "01234567-89ab-7fff-bfff-ffffffffffff",
        "01234567-89AB-7FFF-BFFF-FFFFFFFFFFFF",
    ],
)
def test_an_identifier_is_understood_with_and_without_its_prefix_and_as_a_uuid(text: str) -> None:
    assert parse_id("order", text) == "order_0123456789ab7fffbfffffffffffffff"


@pytest.mark.parametrize(
    "text", ["", "order_", "DT-001", "item_0123456789ab7fffbfffffffffffffff", "order_xyz", "0" * 33]
)
def test_anything_else_is_no_identifier(text: str) -> None:
    assert parse_id("order", text) is None


def test_a_mark_is_a_hash_sign_and_eight_characters_a_cashier_can_read() -> None:
    mark = order_mark("order_0123456789ab7fffbfffffffffffffff")
    assert mark == order_mark("order_0123456789ab7fffbfffffffffffffff")
    assert len(mark) == 9
    assert mark[0] == "#"
    assert set(mark[1:]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_ten_thousand_orders_have_ten_thousand_marks() -> None:
    assert len({order_mark(f"order_{number:032x}") for number in range(10_000)}) == 10_000


def test_random_bytes_are_drawn_in_bulk_and_each_given_out_once() -> None:
    draws: list[int] = []

    def draw(count: int) -> bytes:
        draws.append(count)
        return bytes((len(draws) + index // 10) % 256 for index in range(count))

    source = RandomBytes(draw)
    taken = [source.take(10) for _ in range(500)]
    assert {len(one) for one in taken} == {10}
    assert len(draws) == 2
    assert taken[0] == b"\x01" * 10
    assert taken[1] == b"\x02" * 10
