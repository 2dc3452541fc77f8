"""A submission that had to wait sends the order as it was, without the rounds that follow it."""

from msgspec import structs

from hub.model.check import Totals
from hub.services.attempt import without_lines
from tests.services.scripted import ORDER


def test_lines_added_since_wait_for_their_own_delivery() -> None:
    line = ORDER.checks[0].lines[0]
    tea = structs.replace(line, uid="li_2", name="Tea", unit_cents=300, gross_cents=300)
    check = structs.replace(ORDER.checks[0], lines=(line, tea), totals=Totals(subtotal_cents=2100, total_cents=2100))
    grown = structs.replace(ORDER, checks=(check,))
    assert without_lines(grown, frozenset({"li_2"})) == ORDER
    assert without_lines(grown, frozenset()) is grown
