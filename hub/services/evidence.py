"""All the hub knows of one order as one file, whose integrity can be checked later without the hub.

The file is a zip archive: people can open it, every part is a plain file of its own with a SHA-256 in `manifest.json`,
and the SHA-256 of the manifest (the root hash) stands for the whole. Whoever notes the root hash can tell later
whether anything was changed. With `OPENPOS_EVIDENCE_KEY` the manifest is sealed (HMAC-SHA256) besides, so that who
knows the key can tell that the file was made by somebody who knew it.
"""

import hashlib
import hmac
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from hub.contract.ports import Clock
from hub.database import retention
from hub.database.calls import load_calls
from hub.database.engine import Database
from hub.errors import InvalidRequest, NotFound
from hub.model.call import Call
from hub.model.order import OrderRecord

FORMAT = "openpos-evidence/1"
MANIFEST, SEAL = "manifest.json", "seal.json"
_LARGEST_MANIFEST = 1_000_000
_LARGEST_FILE = 2_000_000_000
_MOST_FILES = 1_000
_CHUNK = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError)


class Section(Struct, frozen=True):
    """One file of the evidence."""

    name: str
    about: str
    content: bytes


class Evidence(Struct, frozen=True):
    """The finished file, and the hash that stands for it."""

    content: bytes
    root: str


class EvidenceMaker:
    """Collects what there is of an order and packs it."""

    def __init__(
        self, *, database: Database, calls_database: Database, clock: Clock, hub_version: str, key: str
    ) -> None:
        self._database = database
        self._calls = calls_database
        self._clock = clock
        self._hub_version = hub_version
        self._key = key

    async def make(self, record: OrderRecord) -> Evidence:
        """The evidence of an order. Raises `NotFound` when it was deleted at this moment."""
        order = record.order
        rows = await self._database.write(lambda connection: retention.load_belongings(connection, order.id))
        if not rows["orders"]:
            raise NotFound(f"there is no order {order.number!r} any more")
        calls = await self._calls.read(lambda connection: load_calls(connection, order.id, from_ms=order.created_at_ms))
        about = {
            "format": FORMAT,
            "orderId": order.id,
            "orderNumber": order.number,
            "madeAt": datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).isoformat(timespec="milliseconds"),
            "madeBy": f"OpenPOS hub {self._hub_version}",
        }
        return pack(sections(record, rows, calls), about, self._key)


def sections(
    record: OrderRecord, rows: Mapping[str, Sequence[Mapping[str, Any]]], calls: Sequence[Call]
) -> list[Section]:
    """The parts of the evidence: what is made for readers first, then every stored row, table by table."""
    readable = [
        Section("order.json", "the order, and how far it is on its way into each POS", _json(record)),
        Section("money.json", "totals by check, and what caller, hub and POS say of the total", _json(_money(record))),
        Section("calls.json", "every recorded call about the order, in and out, secrets hidden", _json(calls)),
    ]
    stored = [
        Section(f"records/{name}.json", f"the rows of table {name} as they are stored", _json([*entries]))
        for name, entries in rows.items()
    ]
    return readable + stored


def _money(record: OrderRecord) -> dict[str, Any]:
    order, audit = record.order, record.money_audit
    return {
        "currency": order.currency,
        "unit": "minor units",
        "totals": order.totals,
        "checks": [{"id": check.id, "status": check.status, "totals": check.totals} for check in order.checks],
        "audit": audit,
        "difference_cents": audit.difference_cents,
    }


def _json(value: Any) -> bytes:
    """Indented JSON; bytes (hashes) are written in hexadecimal."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return json.dumps(plain, ensure_ascii=False, indent=1, default=_hex).encode() + b"\n"


def _hex(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{type(value).__name__} has no place in evidence")


def pack(parts: Sequence[Section], about: Mapping[str, str], key: str) -> Evidence:
    """Puts the parts, the manifest and, with a key, the seal into one zip file."""
    files = [
        {
            "name": part.name,
            "about": part.about,
            "bytes": len(part.content),
            "sha256": hashlib.sha256(part.content).hexdigest(),
        }
        for part in parts
    ]
    manifest = _json({**about, "files": files})
    root = hashlib.sha256(manifest).hexdigest()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(_entry(MANIFEST), manifest)
        if key:
            packed.writestr(_entry(SEAL), _json({"root": root, "algorithm": "HMAC-SHA256", "seal": _seal(root, key)}))
        for part in parts:
            packed.writestr(_entry(part.name), part.content)
    return Evidence(out.getvalue(), root)


def _entry(name: str) -> zipfile.ZipInfo:
    """A file of the zip: without a time of its own, readable by its owner."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _seal(root: str, key: str) -> str:
    return hmac.new(key.encode(), root.encode(), hashlib.sha256).hexdigest()


class Verdict(Struct, frozen=True, kw_only=True):
    """What a check of evidence found. `problems` is empty when it is whole."""

    root: str
    order_number: str
    made_at: str
    files: int
    sealed: bool
    seal_checked: bool
    problems: tuple[str, ...]


def verify(file: Any, *, key: str, expected_root: str = "") -> Verdict:
    """Checks evidence (an opened file) against its manifest, and the manifest against a noted root and the seal.

    With a key, a missing seal is a problem: else it could simply be left out. Raises `InvalidRequest` for a file
    that is no evidence.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            return _verify(packed, key, expected_root.strip().lower())
    except (*_UNREADABLE, NotImplementedError, RuntimeError, OSError, ValueError, msgspec.DecodeError) as problem:
        raise InvalidRequest(f"this is no evidence of a hub: {problem}", field="file") from problem


def _verify(packed: zipfile.ZipFile, key: str, expected_root: str) -> Verdict:
    names = packed.namelist()
    if MANIFEST not in names or len(names) > _MOST_FILES:
        raise InvalidRequest(f"this is no evidence of a hub: {MANIFEST} is missing", field="file")
    manifest = _read(packed, MANIFEST)
    root = hashlib.sha256(manifest).hexdigest()
    told = msgspec.json.decode(manifest, type=_Manifest)
    problems = list(_differences(packed, told.files))
    if expected_root and not hmac.compare_digest(root, expected_root):
        problems.append("the root hash is not the expected one: the manifest was changed, or it is another file's hash")
    sealed = SEAL in names
    if key:
        seal = msgspec.json.decode(_read(packed, SEAL), type=_Seal).seal if sealed else ""
        if not hmac.compare_digest(_seal(root, key).encode(), seal.encode()):
            problems.append("the seal was not made with this OPENPOS_EVIDENCE_KEY" if sealed else "there is no seal")
    return Verdict(
        root=root,
        order_number=told.order_number,
        made_at=told.made_at,
        files=len(told.files),
        sealed=sealed,
        seal_checked=bool(key),
        problems=tuple(problems),
    )


class _File(Struct, frozen=True):
    name: str
    sha256: str
    bytes: int


class _Manifest(Struct, frozen=True, rename="camel"):
    order_number: str
    made_at: str
    files: tuple[_File, ...]


class _Seal(Struct, frozen=True):
    seal: str


def _differences(packed: zipfile.ZipFile, files: Sequence[_File]) -> Iterator[str]:
    names = packed.namelist()
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is there more than once"
    listed = {file.name for file in files} | {MANIFEST, SEAL}
    yield from (f"{name} is not in the manifest" for name in names if name not in listed)
    for file in files:
        if file.name not in names:
            yield f"{file.name} is missing"
        elif _sha256(packed, file) != file.sha256:
            yield f"{file.name} was changed"


def _sha256(packed: zipfile.ZipFile, file: _File) -> str:
    """The hash of a file inside; reads no further than the manifest says it is long."""
    digest, left = hashlib.sha256(), min(file.bytes, _LARGEST_FILE) + 1
    try:
        with packed.open(file.name) as content:
            while left > 0 and (chunk := content.read(min(_CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
    except _UNREADABLE:
        return "damaged"
    return digest.hexdigest()


def _read(packed: zipfile.ZipFile, name: str) -> bytes:
    with packed.open(name) as content:
        text = content.read(_LARGEST_MANIFEST + 1)
    if len(text) > _LARGEST_MANIFEST:
        raise InvalidRequest(f"this is no evidence of a hub: {name} is too large", field="file")
    return text
