"""Everybody has a turn before anybody has a second one."""

from hub.services.fair_turns import FairTurns

FIVE = list("abcde")


def test_a_round_goes_on_where_the_last_turn_ended_and_fills_up_with_the_next_round() -> None:
    turns = FairTurns()
    assert [turns.next("link_1", FIVE, 2) for _ in range(4)] == [["a", "b"], ["c", "d"], ["e", "a"], ["b", "c"]]


def test_each_owner_has_a_round_of_its_own() -> None:
    turns = FairTurns()
    taken = [turns.next(owner, list("abcd"), 2) for owner in ("link_1", "link_2") * 2]
    assert taken == [["a", "b"], ["a", "b"], ["c", "d"], ["c", "d"]]


def test_who_is_new_comes_before_who_had_a_turn_and_who_left_has_none() -> None:
    turns = FairTurns()
    turns.next("link_1", FIVE, 3)
    assert turns.next("link_1", ["z", "b", "e"], 2) == ["z", "e"]


def test_few_enough_all_have_a_turn_each_time() -> None:
    turns = FairTurns()
    assert [turns.next("link_1", ["a", "b"], 2) for _ in range(2)] == [["a", "b"], ["a", "b"]]
    assert turns.next("link_1", [], 2) == []
