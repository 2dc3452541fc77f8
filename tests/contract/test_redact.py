"""No secret survives: neither by its name nor by its value."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.contract.redact import ALWAYS_SECRET_FIELDS, ALWAYS_SECRET_HEADERS, HIDDEN, MAX_BODY_CHARACTERS, Redactor

# Values that occur nowhere else in what is recorded.
secrets = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=30).map(lambda text: f"Q{text}Q")
awkward = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x7f"), min_size=8, max_size=20
).map(lambda text: f"Q{text}Q")
plain = st.text("abcdefghij 0123456789,.:-", max_size=20)
names = st.sampled_from(ALWAYS_SECRET_FIELDS) | st.just("client_id_secret")
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=6,
)


def case_changed(name: str, upper: bool) -> str:
    return name.upper() if upper else name


@given(secret=secrets, name=names, upper=st.booleans(), around=documents, spaced=st.booleans())
def test_a_secret_field_is_hidden_wherever_it_stands(
    secret: str, name: str, upper: bool, around: Any, spaced: bool
) -> None:
    redactor = Redactor(fields=("client_id_secret",))
    document = {"before": around, "list": [{"deep": {case_changed(name, upper): secret}}], "after": around}
    content = json.dumps(document, separators=None if spaced else (",", ":"), indent=2 if spaced else None)
    shown = redactor.body(content.encode())
    assert secret not in shown
    assert HIDDEN in shown
    assert json.loads(shown)["before"] == around


@given(secret=awkward, name=names)
def test_a_secret_with_quotes_and_backslashes_is_hidden_by_its_name(secret: str, name: str) -> None:
    redactor = Redactor(fields=("client_id_secret",))
    for ascii_only in (True, False):
        shown = redactor.body(json.dumps({"x": 1, name: secret, "y": 2}, ensure_ascii=ascii_only).encode())
        assert json.loads(shown) == {"x": 1, name: HIDDEN, "y": 2}


@given(secret=secrets, name=st.sampled_from(("cvv", "PAN", "öffnung", "Kennwort")), around=documents)
def test_any_name_that_a_manifest_gives_is_hidden_whatever_letters_it_is_made_of(
    secret: str, name: str, around: Any
) -> None:
    document = json.dumps({"before": around, name.swapcase(): secret, "after": around}, ensure_ascii=False)
    assert secret not in Redactor(fields=(name,)).body(document.encode())


@given(before=documents, key=st.sampled_from(("sk_Kq3-9_", "whsec_K+/=q3_-")), after=documents)
def test_a_key_of_ours_is_hidden_in_every_body(before: Any, key: str, after: Any) -> None:
    key += "x" * 16
    assert key[6:] not in Redactor().body(json.dumps([before, f"It is {key}.", after]).encode())


@given(number=st.integers(10_000, 10**12), name=names)
def test_a_secret_number_is_hidden_by_its_name(number: int, name: str) -> None:
    assert str(number) not in Redactor(fields=("client_id_secret",)).body(json.dumps({name: number}).encode())


@given(secret=secrets, around=plain, name=plain)
def test_a_known_value_is_hidden_wherever_it_stands(secret: str, around: str, name: str) -> None:
    redactor = Redactor(values=(secret,))
    body = json.dumps({name: f"{around}{secret}{around}", "list": [secret]})
    assert secret not in redactor.body(body.encode())
    assert secret not in redactor.headers({"x-echo": f"{around}{secret}"})
    assert secret not in redactor.text(f"http://till/{secret}?q={secret}")


@given(secret=awkward)
def test_a_known_value_is_hidden_in_the_spelling_json_gives_it(secret: str) -> None:
    redactor = Redactor(values=(secret,))
    for ascii_only in (True, False):
        spelled = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        assume(len(spelled) > 4)
        assert spelled not in redactor.body(json.dumps({"error": secret}, ensure_ascii=ascii_only).encode())


@pytest.mark.parametrize("echoed", ["c2VjcmV0\\/a+b==", "c2VjcmV0%2Fa%2Bb%3D%3D"])
def test_a_known_value_is_hidden_with_escaped_slashes_and_in_an_address(echoed: str) -> None:
    redactor = Redactor(values=("c2VjcmV0/a+b==",))
    assert "c2VjcmV0" not in redactor.body(f'{{"message":"bad credential {echoed}"}}'.encode())
    assert "c2VjcmV0" not in redactor.text(f"http://till/auth?key={echoed}")


@given(secret=secrets, name=st.sampled_from((*ALWAYS_SECRET_HEADERS, "X-Token")), upper=st.booleans())
def test_a_secret_header_is_hidden(secret: str, name: str, upper: bool) -> None:
    redactor = Redactor(headers=("x-token",))
    assert secret not in redactor.headers({case_changed(name, upper): secret, "accept": "application/json"})
    assert secret not in redactor.headers([("accept", "application/json"), (name, f"Bearer {secret}")])


@given(secret=secrets, filler=st.integers(0, 200), wide=st.booleans())
def test_a_secret_at_the_edge_of_what_is_kept_is_hidden(secret: str, filler: int, wide: bool) -> None:
    letter = "漢" if wide else "x"
    redactor = Redactor(values=(secret,))
    for length in (MAX_BODY_CHARACTERS, 4 * MAX_BODY_CHARACTERS // (3 if wide else 1)):
        start = letter * (length - filler)
        for body in (f'{start}"token":"{secret}"', f"{start}{secret}"):
            shown = redactor.body(body.encode())
            assert secret[:8] not in shown


pieces = st.sampled_from(
    ('"pin":', '"token"', ": 12345", '"sk_', "whsec_", "a" * 20, '","', "\x00", "₼", "secret-value")
)


@given(first=st.lists(pieces).map("".join), second=st.lists(pieces).map("".join), longer=st.booleans())
def test_both_bodies_of_a_call_are_shown_as_each_alone_would_be(first: str, second: str, longer: bool) -> None:
    redactor = Redactor(values=("secret-value",))
    second += "x" * 70_000 if longer else ""
    request, response = first.encode(), second.encode()
    alone = redactor.body(request), redactor.body(response)
    assert redactor.bodies(request, response) == alone
    assert redactor.bodies(request, response, second) == alone


def test_a_long_body_is_cut_and_says_how_long_it_was() -> None:
    shown = Redactor().body(b"x" * 20_000)
    assert shown == "x" * 16_000 + "… [20000 bytes in all]"
    assert Redactor().body(b"x" * 16_000) == "x" * 16_000


def test_null_bytes_and_broken_text_become_something_every_database_takes() -> None:
    assert Redactor().body(b"a\x00b\xff") == "a�b�"


def test_a_value_of_three_characters_is_too_short_to_be_looked_for() -> None:
    assert Redactor(values=("abc",)).text("abc") == "abc"
    assert Redactor(values=("abcd",)).text("abcd") == HIDDEN
    assert Redactor().with_value("abc").text("abc") == "abc"


def test_a_value_learnt_later_is_hidden_by_the_new_redactor_and_the_old_one_stays_as_it_was() -> None:
    before = Redactor(values=("first-secret",))
    after = before.with_value("fresh-token")
    assert before.text("fresh-token first-secret") == f"fresh-token {HIDDEN}"
    assert after.text("fresh-token first-secret") == f"{HIDDEN} {HIDDEN}"
    assert after.with_value("fresh-token") is after


def test_the_credentials_stay_hidden_however_many_tokens_come_after_them() -> None:
    redactor = Redactor(values=("client-secret",))
    for number in range(40):
        redactor = redactor.with_value(f"token-{number}")
    assert redactor.text("client-secret") == HIDDEN
    assert redactor.text("token-39") == HIDDEN
