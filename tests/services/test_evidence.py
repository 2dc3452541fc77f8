"""Evidence holds all there is of an order, and any change to it is noticed without the hub."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from hub.database.calls import create_day, day_of, insert_calls
from hub.database.deliveries import State
from hub.database.engine import Database
from hub.database.order_reads import load_order
from hub.errors import InvalidRequest, NotFound
from hub.model.order import OrderRecord, VendorRef
from hub.services.evidence import Evidence, EvidenceMaker, Section, pack, verify
from tests.contract.ports import StandingClock
from tests.database.stored import NOW, claim_one, finish, place
from tests.database.test_calls import call

pytestmark = pytest.mark.anyio
KEY, OTHER_KEY = "k" * 32, "o" * 32
ABOUT = {"format": "openpos-evidence/1", "orderId": "order_1", "orderNumber": "DT-001", "madeAt": "2026-11-18"}
Change = Callable[[dict[str, bytes]], None]
PARTS = [Section("order.json", "the order", b'{"total": 1800}'), Section("calls.json", "calls", b"[]")]


@pytest.fixture
def calls_database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'calls.sqlite'}", durable=False)
    yield opened
    opened.close_now()


def maker(database: Database, calls_database: Database, clock: StandingClock) -> EvidenceMaker:
    return EvidenceMaker(database=database, calls_database=calls_database, clock=clock, hub_version="1.2.3", key=KEY)


def delivered(database: Database) -> OrderRecord:
    item = place(database)
    finish(database, claim_one(database), State.DELIVERED, ref=VendorRef(kind="order", id="4711"), pos_cents=1790)
    record = database.read_now(lambda c: load_order(c, item.order.id))
    assert record is not None
    return record


def opened(evidence: Evidence) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(evidence.content))


async def test_all_there_is_of_an_order_is_in_its_evidence(
    database: Database, calls_database: Database, clock: StandingClock
) -> None:
    record = delivered(database)
    made = [call(order_id=record.order.id), call(order_id=record.order.id, at_ms=NOW + 1)]
    calls_database.run_now(lambda c: create_day(c, day_of(NOW)))
    calls_database.run_now(lambda c: insert_calls(c, [(day_of(NOW), [*made, call(order_id="order_2")])]))
    packed = opened(await maker(database, calls_database, clock).make(record))
    found = {name: json.loads(packed.read(name)) for name in packed.namelist()}
    assert found["order.json"]["order"]["number"] == "DT-001"
    assert found["order.json"]["injection"][0]["state"] == "confirmed"
    assert found["money.json"]["totals"]["total_cents"] == 1800
    assert found["money.json"]["audit"] == {"computed_cents": 1800, "pos_cents": 1790}
    assert found["money.json"]["difference_cents"] == -10
    assert [entry["at_ms"] for entry in found["calls.json"]] == [NOW, NOW + 1]
    assert [row["kind"] for row in found["records/order_events.json"]] == ["placed"]
    assert [row["attempts"] for row in found["records/deliveries.json"]] == [1]
    assert [row["vendor_id"] for row in found["records/order_refs.json"]] == ["4711"]
    assert found["records/orders.json"][0]["fingerprint"] == "61" + "00" * 31
    manifest = found["manifest.json"]
    assert (manifest["format"], manifest["madeBy"]) == ("openpos-evidence/1", "OpenPOS hub 1.2.3")
    assert manifest["madeAt"] == "2026-11-18T11:06:40.000+00:00"
    assert {file["name"] for file in manifest["files"]} == set(found) - {"manifest.json", "seal.json"}


async def test_what_was_deleted_meanwhile_has_no_evidence(
    database: Database, calls_database: Database, clock: StandingClock
) -> None:
    gone = OrderRecord(order=structs.replace(delivered(database).order, id="order_" + "0" * 32))
    with pytest.raises(NotFound):
        await maker(database, calls_database, clock).make(gone)


def repacked(evidence: Evidence, change: Change) -> io.BytesIO:
    """The same evidence after somebody changed its files."""
    packed = opened(evidence)
    files = {name: packed.read(name) for name in packed.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as again:
        for name, content in files.items():
            again.writestr(name, content)
    out.seek(0)
    return out


def problems(evidence: Evidence, change: Change, key: str = "", root: str = "") -> list[str]:
    return list(verify(repacked(evidence, change), key=key, expected_root=root).problems)


async def test_evidence_that_nobody_touched_is_whole() -> None:
    sealed, plain = pack(PARTS, ABOUT, KEY), pack(PARTS, ABOUT, "")
    assert sealed.root == plain.root
    verdict = verify(io.BytesIO(sealed.content), key=KEY, expected_root=sealed.root.upper())
    assert (verdict.problems, verdict.files, verdict.order_number) == ((), 2, "DT-001")
    assert (verdict.sealed, verdict.seal_checked) == (True, True)
    verdict = verify(io.BytesIO(plain.content), key="")
    assert (verdict.problems, verdict.sealed, verdict.seal_checked) == ((), False, False)


async def test_every_change_is_noticed() -> None:
    evidence = pack(PARTS, ABOUT, KEY)

    def altered(files: dict[str, bytes]) -> None:
        files["order.json"] = files["order.json"].replace(b"1800", b"1900")

    assert problems(evidence, altered) == ["order.json was changed"]
    assert problems(evidence, lambda files: files.update({"calls.json": b"[] "})) == ["calls.json was changed"]
    assert problems(evidence, lambda files: files.pop("calls.json") and None) == ["calls.json is missing"]
    assert problems(evidence, lambda files: files.update({"more.json": b""})) == ["more.json is not in the manifest"]


async def test_who_changes_the_manifest_as_well_is_betrayed_by_the_root_hash_and_the_seal() -> None:
    evidence = pack(PARTS, ABOUT, KEY)
    forged = pack([Section("order.json", "the order", b'{"total": 1}'), PARTS[1]], ABOUT, "")

    def forge(files: dict[str, bytes]) -> None:
        seal = files["seal.json"]
        files.clear()
        packed = opened(forged)
        files.update({name: packed.read(name) for name in packed.namelist()})
        files["seal.json"] = seal

    assert problems(evidence, forge) == []
    assert problems(evidence, forge, key=KEY) == ["the seal was not made with this OPENPOS_EVIDENCE_KEY"]
    assert problems(evidence, lambda files: files.pop("seal.json") and None, key=KEY) == ["there is no seal"]
    assert problems(evidence, forge, root=evidence.root) == [
        "the root hash is not the expected one: the manifest was changed, or it is another file's hash"
    ]
    assert problems(evidence, lambda files: None, key=OTHER_KEY) == [
        "the seal was not made with this OPENPOS_EVIDENCE_KEY"
    ]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\x00" * 40])
async def test_what_is_no_evidence_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match="this is no evidence of a hub"):
        verify(io.BytesIO(content), key="")


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[]", b"[" * 100_000, b'{"files": 1}', b"\xff", b" " * 1_000_001])
async def test_a_manifest_that_cannot_be_read_is_refused(manifest: bytes) -> None:
    evidence = pack(PARTS, ABOUT, "")
    with pytest.raises(InvalidRequest, match="this is no evidence of a hub"):
        problems(evidence, lambda files: files.update({"manifest.json": manifest}))


async def test_a_bit_flipped_anywhere_never_passes_for_whole() -> None:
    evidence = pack(PARTS, ABOUT, KEY)
    passed = []
    for position in range(0, len(evidence.content), 7):
        damaged = bytearray(evidence.content)
        damaged[position] ^= 0x10
        try:
            verdict = verify(io.BytesIO(bytes(damaged)), key=KEY, expected_root=evidence.root)
        except InvalidRequest:
            continue
        if not verdict.problems and opened(Evidence(bytes(damaged), "")).read("order.json") != PARTS[0].content:
            passed.append(position)
    assert passed == []
