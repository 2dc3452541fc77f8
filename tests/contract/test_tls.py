"""Calls over HTTPS: a certificate counts when its authority is believed, and nothing is sent where it does not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.contract.http import new_transport
from hub.contract.public_http import new_public_transport
from hub.contract.tls import tls_context
from hub.errors import VendorUnreachable
from tests.contract.calling import Calling, read_request

pytestmark = pytest.mark.anyio
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_LOCAL = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
_NEW: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "of links": new_transport,
    "of webhooks": lambda: new_public_transport(("127.0.0.0/8",)),
}


@pytest.fixture(autouse=True)
def fresh_context() -> Iterator[None]:
    """Each test reads the authorities anew."""
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, hour = datetime.now(UTC), timedelta(hours=1)
    made = (
        x509.CertificateBuilder(_LOCAL, _LOCAL, key.public_key(), x509.random_serial_number(), now - hour, now + hour)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
async def till(certificate: Path) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server with that certificate: its address, and the requests that reached it."""
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await read_request(reader))
        writer.write(_OK)
        await writer.drain()
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", received


@pytest.mark.parametrize("transport_kind", _NEW)
async def test_an_authority_that_is_believed_vouches_for_a_vendor(
    till: tuple[str, list[bytes]], certificate: Path, monkeypatch: pytest.MonkeyPatch, transport_kind: str
) -> None:
    address, received = till
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with _NEW[transport_kind]() as transport:
        assert (await Calling(transport, base_url=address).write()).data == {}
    assert len(received) == 1


@pytest.mark.parametrize("transport_kind", _NEW)
async def test_a_vendor_nobody_vouches_for_is_sent_nothing(till: tuple[str, list[bytes]], transport_kind: str) -> None:
    address, received = till
    async with _NEW[transport_kind]() as transport:
        with pytest.raises(VendorUnreachable):
            await Calling(transport, base_url=address).write()
    assert received == []


def test_there_are_authorities_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setattr(ssl.SSLContext, "set_default_verify_paths", lambda context: None)
    assert len(tls_context().get_ca_certs()) > 50
