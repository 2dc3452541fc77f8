"""Reading and checking the file that `openpos-hub apply` takes."""

from pathlib import Path
from textwrap import dedent

import pytest

from hub.errors import ConfigurationError
from hub.model.ids import derived_id
from hub.model.menu import Tax
from hub.model.status import OrderType
from hub.model.venue import OpeningHours, RateLimit
from hub.services.declaration import Declaration, read_declaration
from tests.services.fake_pos import fake_registry

PASSWORD = "correct-horse-battery"
SECRETS = {"POS_PASSWORD": PASSWORD, "SHORT": "short", "PARTNER_KEY": "sk_" + "k" * 24}

VENUE = """\
[[venues]]
slug = "demo"
name = "Demo"
order_prefix = "DT"
currency = "AZN"
timezone = "Asia/Baku"
"""

LINK = (
    VENUE
    + """\
[venues.link]
connector = "fake"
[venues.link.config]
branch = 1
password = "env:POS_PASSWORD"
"""
)

MENU = """\
[[categories]]
key = "mains"
name = "Mains"
[[modifier_groups]]
key = "sauce"
name = "Sauce"
min_select = 1
max_select = 1
[[modifier_groups.options]]
key = "bbq"
name = "BBQ"
price = 1.50
vendor = { id = 187 }
[[items]]
key = "burger"
name = "Burger"
category = "mains"
price = 14.99
modifier_groups = ["sauce"]
tax = { name = "VAT", rate = "18", inclusive = true }
vendor = { menu_item_id = 15, weight = 0.25 }
"""


def read(folder: Path, text: str, menu: str = "") -> Declaration:
    path = folder / "venues.toml"
    path.write_text(dedent(text), encoding="utf-8")
    (folder / "menu.toml").write_text(menu, encoding="utf-8")
    return read_declaration(path, registry=fake_registry(), secrets=SECRETS)


def refused(folder: Path, text: str, menu: str = "") -> list[str]:
    """What is said about a file, without the folder in front of its name."""
    with pytest.raises(ConfigurationError) as problem:
        read(folder, text, menu)
    return problem.value.message.replace(f"{folder}/", "").split("\n")


def test_a_venue_needs_six_fields_and_gets_the_model_s_defaults(tmp_path: Path) -> None:
    declared = read(tmp_path, VENUE).venues[0]
    assert declared.venue.id == derived_id("loc", "demo")
    assert declared.venue.order_types == (OrderType.PICKUP, OrderType.DELIVERY, OrderType.DINE_IN)
    assert declared.venue.hours == ()
    assert declared.venue.policies.service_charge_percent == "0"
    assert declared.link is None
    assert declared.menu is None


def test_hours_policies_and_order_types_are_taken_over(tmp_path: Path) -> None:
    text = """\
        order_types = ["pickup"]
        hours = [{ day = "sat", opens = "18:00", closes = "02:00" }]
        [venues.policies]
        service_charge_percent = "12.5"
        service_charge_order_types = ["dine_in", "pickup"]
        tax = { name = "VAT", rate = "18", inclusive = true }
        """
    venue = read(tmp_path, VENUE + dedent(text)).venues[0].venue
    assert venue.order_types == (OrderType.PICKUP,)
    assert venue.hours == (OpeningHours(day="sat", opens="18:00", closes="02:00"),)
    assert venue.policies.service_charge_percent == "12.5"
    assert venue.policies.service_charge_order_types == (OrderType.DINE_IN, OrderType.PICKUP)
    assert venue.policies.tax == Tax(name="VAT", rate="18", inclusive=True)


def test_a_link_keeps_its_reference_and_never_the_secret(tmp_path: Path) -> None:
    tuning = "margin = 0.5\n[venues.link.tuning]\nsettle_seconds = 2.5\nrate_limits = [{requests = 5, seconds = 1}]\n"
    link = read(tmp_path, LINK + tuning).venues[0].link
    assert link is not None
    assert link.id == derived_id("link", "demo")
    assert link.venue_id == derived_id("loc", "demo")
    assert link.config == {"branch": 1, "password": "env:POS_PASSWORD", "margin": 0.5}
    assert link.tuning.settle_seconds == 2.5
    assert link.tuning.rate_limits == (RateLimit(5, 1),)


def test_a_menu_in_its_own_file_becomes_the_model_s_menu(tmp_path: Path) -> None:
    menu = read(tmp_path, VENUE + 'menu_file = "menu.toml"\n', MENU).venues[0].menu
    assert menu is not None
    (item,) = menu.items
    assert item.id == derived_id("item", "demo", "burger")
    assert item.price_cents == 1499
    assert item.category_id == menu.categories[0].id == derived_id("cat", "demo", "mains")
    assert item.tax == Tax(name="VAT", rate="18", inclusive=True)
    assert item.vendor == {"menu_item_id": 15, "weight": "0.25"}
    (group,) = item.modifier_groups
    assert (group.id, group.min_select, group.max_select) == (derived_id("modgroup", "demo", "sauce"), 1, 1)
    assert group.options[0].id == derived_id("mod", "demo", "sauce", "bbq")
    assert group.options[0].price_cents == 150
    assert group.options[0].vendor == {"id": 187}


def test_a_menu_inside_the_file_is_the_same_menu(tmp_path: Path) -> None:
    inside = MENU.replace("[[", "[[venues.menu.")
    apart = read(tmp_path, VENUE + 'menu_file = "menu.toml"\n', MENU)
    assert read(tmp_path, VENUE + inside).venues[0].menu == apart.venues[0].menu


def test_prices_follow_the_decimals_of_the_currency(tmp_path: Path) -> None:
    text = VENUE.replace("AZN", "JPY") + 'menu_file = "menu.toml"\n'
    menu = MENU.replace("14.99", "1500").replace("1.50", "50.00")
    declared = read(tmp_path, text, menu).venues[0].menu
    assert declared is not None
    assert declared.items[0].price_cents == 1500
    assert declared.items[0].modifier_groups[0].options[0].price_cents == 50


def test_keys_have_defaults_and_may_be_given_by_the_operator(tmp_path: Path) -> None:
    text = '[[keys]]\nname = "web"\n[[keys]]\nname = "partner"\nvenue = "demo"\nsecret = "env:PARTNER_KEY"\n'
    web, partner = read(tmp_path, text).keys
    assert (web.scopes, web.venue_slug, web.secret) == (("read",), None, None)
    assert (partner.venue_slug, partner.secret) == ("demo", "sk_" + "k" * 24)
    assert "kkkk" not in repr(partner)


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "venues.toml"
    path.write_bytes(b"\xef\xbb\xbf" + VENUE.replace("\n", "\r\n").encode())
    assert read_declaration(path, registry=fake_registry(), secrets={}).venues[0].venue.slug == "demo"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[venues]]\nslug = "demo\n', "venues.toml:2: not valid TOML: illegal character '\\n'"),
        (VENUE + "name = 'again'\n", "venues.toml:7: not valid TOML: cannot overwrite a value"),
        ("[[printers]]\nid = 1\n", "venues.toml:1: printers: there is no such section (there are venues and keys)"),
        (VENUE + "\n# a comment\ncolour = 1\n", "venues.toml:9: venues[0].colour: there is no such field"),
        (VENUE + "[venues.policies]\ntips = 1\n", "venues.toml:8: venues[0].policies.tips: there is no such field"),
        (VENUE + 'hours = [\n  { day = "mon" },\n]\n', "venues.toml:8: venues[0].hours[0].opens: is missing"),
        (VENUE.replace('"Demo"', "3"), "venues.toml:3: venues[0].name: expected text in quotes, got a whole number"),
        (VENUE.replace('"Demo"', '""'), "venues.toml:3: venues[0].name: expected text in quotes of length >= 1"),
        (
            VENUE + '[venues.policies]\ntax = { name = "VAT", rate = 18, inclusive = true }\n',
            "venues.toml:8: venues[0].policies.tax.rate: expected text in quotes, got a whole number",
        ),
        (
            VENUE + 'order_types = ["pickup", "takeaway"]\n',
            "venues.toml:7: venues[0].order_types[1]: 'takeaway' is none of pickup, delivery, dine_in",
        ),
        (
            LINK + "[venues.link.tuning]\nmax_in_flight = 0\n",
            "venues.toml:13: venues[0].link.tuning.max_in_flight: expected a whole number >= 1",
        ),
        ('[[keys]]\nname = "a"\nscopes = []\n', "venues.toml:3: keys[0].scopes: expected a list of length >= 1"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, text) == [message]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("demo", "Demo!", "2: venues[0].slug: 'Demo!' may only have small letters, digits and dashes (64 at most)"),
        ("DT", "dt", "4: venues[0].order_prefix: 'dt' is not one to eight capital letters or digits"),
        ("AZN", "AZM", "5: venues[0].currency: 'AZM' is not a currency code of ISO 4217, like EUR"),
        ("Asia/Baku", "Asia", "6: venues[0].timezone: 'Asia' is not a time zone, like Europe/Berlin"),
        ("Asia/Baku", "Baku", "6: venues[0].timezone: 'Baku' is not a time zone, like Europe/Berlin"),
    ],
)
def test_a_value_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert refused(tmp_path, VENUE.replace(f'"{old}"', f'"{new}"')) == [f"venues.toml:{message}"]


def test_all_wrong_values_are_told_at_once(tmp_path: Path) -> None:
    text = """\
        [[venues.hours]]
        day = "monday"
        opens = "9:00"
        closes = "24:00"
        [venues.policies]
        service_charge_percent = "ten"
        """
    assert refused(tmp_path, VENUE.replace("AZN", "MANAT") + dedent(text)) == [
        "venues.toml:5: venues[0].currency: 'MANAT' is not a currency code of ISO 4217, like EUR",
        "venues.toml:8: venues[0].hours[0].day: 'monday' is none of mon, tue, wed, thu, fri, sat, sun",
        'venues.toml:9: venues[0].hours[0].opens: \'9:00\' is not a time from "00:00" to "23:59" (midnight is "00:00")',
        'venues.toml:10: venues[0].hours[0].closes: \'24:00\' is not a time from "00:00" to "23:59" '
        '(midnight is "00:00")',
        "venues.toml:12: venues[0].policies.service_charge_percent: 'ten' is not a percentage; "
        'write it like "18" or "7.5"',
    ]


@pytest.mark.parametrize(
    ("seating", "message"),
    [
        ("book", "7: venues[0].seating: 'book' is none of hub, pos"),
        ("till", "7: venues[0].seating: 'till' is none of hub, pos"),
    ],
)
def test_who_seats_guests_must_be_there(tmp_path: Path, seating: str, message: str) -> None:
    assert refused(tmp_path, LINK.replace("[venues.link]\n", f'seating = "{seating}"\n[venues.link]\n')) == [
        f"venues.toml:{message}"
    ]


def test_a_pos_that_is_not_listened_to_cannot_seat_guests(tmp_path: Path) -> None:
    text = LINK.replace('connector = "fake"\n', 'connector = "fake"\npos_orders = "ignore"\n')
    seated = text.replace("[venues.link]\n", 'seating = "pos"\n[venues.link]\n')
    message = 'venues.toml:7: venues[0].seating: the POS cannot say where guests sit while pos_orders is "ignore"'
    assert refused(tmp_path, seated) == [message]
    assert read(tmp_path, seated.replace('"ignore"', '"pick_up"')).venues[0].venue.seating == "pos"


def test_tables_are_taken_over_and_stand_once(tmp_path: Path) -> None:
    tables = '[[venues.tables]]\nname = "T1"\nseats = 4\narea = "Hall"\n[[venues.tables]]\nname = "Bar"\n'
    [venue] = read(tmp_path, VENUE + tables).venues
    assert [(table.name, table.seats, table.area) for table in venue.tables] == [("T1", 4, "Hall"), ("Bar", None, "")]
    [message] = refused(tmp_path, VENUE + tables.replace('"Bar"', '"t 1"'))
    assert message == "venues.toml:12: venues[0].tables[1].name: 'T1' is used twice"


def test_slugs_prefixes_and_key_names_stand_once(tmp_path: Path) -> None:
    text = VENUE + VENUE + '[[keys]]\nname = "a"\n[[keys]]\nname = "a"\n'
    assert refused(tmp_path, text) == [
        "venues.toml:8: venues[1].slug: 'demo' is used twice",
        "venues.toml:10: venues[1].order_prefix: 'DT' is used twice",
        "venues.toml:16: keys[1].name: 'a' is used twice",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"fake"',
            '"nobody"',
            "8: venues[0].link.connector: no connector 'nobody' is installed (installed: fake, plain)",
        ),
        ("branch = 1", "branch = 0", "10: venues[0].link.config.branch: 0 is less than the minimum of 1"),
        ("branch = 1", "", "9: venues[0].link.config: 'branch' is a required property"),
        (
            "branch = 1",
            "branch = 1\nbrunch = 1",
            "9: venues[0].link.config: Additional properties are not allowed ('brunch' was unexpected)",
        ),
        (
            "env:POS_PASSWORD",
            "hunter2hunter2",
            '11: venues[0].link.config.password: a secret must not stand in this file; write "env:NAME" and set NAME '
            "in the environment",
        ),
        (
            "env:POS_PASSWORD",
            "env:GONE",
            "11: venues[0].link.config.password: the environment has no GONE, nor has `openpos-hub secrets`",
        ),
        ("env:POS_PASSWORD", "env:SHORT", "11: venues[0].link.config.password: not a valid value"),
        ("branch = 1", "branch = 1\nmargin = nan", "9: venues[0].link.config: holds something that is not a number"),
    ],
)
def test_link_settings_are_checked_against_the_connector_s_schema(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    said = refused(tmp_path, LINK.replace(old, new))
    assert said[0] == f"venues.toml:{message}"
    assert "hunter2" not in str(said)


def test_a_complaint_about_all_settings_shows_no_secret(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, LINK + "margin = 13\n")
    assert said.startswith("venues.toml:9: venues[0].link.config: ")
    assert "[hidden]" in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("14.99", "14.999", "18: items[0].price: 14.999 has more decimals than AZN, which has 2"),
        ("14.99", "-1", "18: items[0].price: -1 is not a price"),
        ("14.99", "nan", "18: items[0].price: NaN is not a price"),
        ("14.99", "1e14", "18: items[0].price: 1E+14 is more than the hub can handle"),
        ("14.99", '"cheap"', "18: items[0].price: not a number"),
        ("14.99", "14.9900000000000000000000000001", "is not a price"),
        ('category = "mains"', 'category = "main"', "17: items[0].category: there is no category 'main'"),
        ('["sauce"]', '["sauces"]', "19: items[0].modifier_groups[0]: there is no modifier group 'sauces'"),
        ('rate = "18"', 'rate = "180"', "20: items[0].tax.rate: '180' is not a percentage"),
        ("min_select = 1", "min_select = 2", "7: modifier_groups[0].min_select: is more than max_select, which is 1"),
        ("price = 1.50", "price = 1.505", "12: modifier_groups[0].options[0].price: 1.505 has more decimals"),
        ("max_select = 1", "", ""),
        ('[[items]]\nkey = "burger"', '[[items]]\nprize = 3\nkey = "burger"', "15: items[0].prize: there is no such"),
    ],
)
def test_a_menu_is_checked_in_its_own_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    text, menu = VENUE + 'menu_file = "menu.toml"\n', MENU.replace(old, new)
    if not message:
        assert read(tmp_path, text, menu).venues[0].menu is not None
        return
    said = refused(tmp_path, text, menu)[0]
    assert said.startswith("menu.toml:")
    assert message in said


def test_an_item_twice_or_options_that_cannot_be_chosen_are_refused(tmp_path: Path) -> None:
    again = '[[items]]\nkey = "burger"\nname = "Other"\ncategory = "mains"\nprice = 1\n'
    menu = MENU.replace("min_select = 1\nmax_select = 1", "min_select = 2") + again
    assert refused(tmp_path, VENUE + 'menu_file = "menu.toml"\n', menu) == [
        "menu.toml:22: items[1].key: 'burger' is used twice",
        "menu.toml:7: modifier_groups[0].min_select: the options allow 1 at most",
    ]


def test_a_menu_file_that_is_not_there_or_one_too_many_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, VENUE + 'menu_file = "gone.toml"\n') == [
        "gone.toml: the file cannot be read: No such file or directory"
    ]
    both = VENUE + 'menu_file = "menu.toml"\n[venues.menu]\n'
    assert refused(tmp_path, both) == [
        "venues.toml:7: venues[0].menu_file: a venue has either a menu or a menu_file, not both"
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('scopes = ["read", "admin"]', "3: keys[0].scopes[1]: 'admin' is none of read, write, orders:read, "),
        ('secret = "sk_0123456789012345678901234"', "3: keys[0].secret: a key must not stand in this file"),
        ('secret = "env:GONE"', "3: keys[0].secret: the environment has no GONE, nor has `openpos-hub secrets`"),
        ('secret = "env:POS_PASSWORD"', "3: keys[0].secret: POS_PASSWORD is not a key: sk_ and at least 24 letters"),
    ],
)
def test_keys_are_checked_and_never_shown(tmp_path: Path, line: str, message: str) -> None:
    (said,) = refused(tmp_path, f'[[keys]]\nname = "partner"\n{line}\n')
    assert said.startswith(f"venues.toml:{message}")
    assert "0123456789" not in said
    assert PASSWORD not in said
