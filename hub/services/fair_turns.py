"""Whose turn it is, where each poll can only look at a few of many: nobody is passed over twice."""

from collections.abc import Sequence


class FairTurns:
    """Remembers per owner (a link) who had a turn; that is lost with the process, and then all begin again."""

    def __init__(self) -> None:
        self._had_one: dict[str, frozenset[str]] = {}

    def next(self, owner: str, ids: Sequence[str], at_most: int) -> list[str]:
        """Up to `at_most` of these ids: first those that had no turn yet, in their order, then the others."""
        had_one = self._had_one.get(owner, frozenset()).intersection(ids)
        waiting = [one for one in ids if one not in had_one]
        turn = waiting[:at_most]
        if len(waiting) <= at_most:  # the round is over
            turn += [one for one in ids if one in had_one][: at_most - len(turn)]
            had_one = frozenset()
        self._had_one[owner] = had_one.union(turn)
        return turn
