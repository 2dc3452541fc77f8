"""Everything the environment may set, read once into one frozen value; nothing else reads `os.environ`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from hub.errors import ConfigurationError

SECRETS_FILE = "secrets.env"
SECRET_KEY_FILE = "secret.key"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?")
_LOOPBACK = ("127.0.0.1", "localhost")
_SHORTEST_EVIDENCE_KEY = 32


@dataclass(frozen=True)
class Settings:
    """The settings of one hub."""

    data: Path
    """Folder of the embedded database and of everything else the hub keeps on disk."""
    database_url: str
    calls_url: str
    """Where recorded calls go: a second file beside the embedded database, or the same PostgreSQL database."""
    trusted_proxies: tuple[str, ...] = ()
    max_body_bytes: int = 256 * 1024
    requests_per_minute: int = 60
    """Of keys without limits of their own, and of anonymous callers, who are counted by address."""
    requests_per_day: int = 10_000
    public_orders_per_minute: int = 20
    """Orders from one address without a key."""
    hosts: tuple[str, ...] = ()
    """The host names under which the hub is reached."""
    public_url: str = ""
    """The address under which the internet reaches this hub; with it the hub offers OAuth."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may call the API."""
    clock_offset_file: Path | None = None
    """Tests only: a file with seconds to add to the clock."""
    model_url: str = ""
    """A language model that writes about insights, by its OpenAI-compatible base address; none when empty."""
    model_key: str = field(default="", repr=False)
    model_name: str = ""
    evidence_key: str = field(default="", repr=False)
    """What evidence is sealed with; none when empty."""
    webhook_networks: tuple[str, ...] = ()
    """Networks outside the public Internet that webhooks may be sent to."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The secrets file and the environment, for `env:NAME` references."""
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    """What secrets in the database are encrypted with; the newest first, older ones for what they sealed."""

    @property
    def database_file(self) -> Path:
        """The file of the embedded database."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def secret_key_file(self) -> Path | None:
        """Where an embedded hub keeps a key of its own; None with PostgreSQL, whose machines must share theirs."""
        return self.data / SECRET_KEY_FILE if self.embedded else None

    @property
    def embedded(self) -> bool:
        """Whether the hub keeps its data in SQLite, which only one process may serve."""
        return self.database_url.startswith("sqlite")

    def make_data_folder(self) -> None:
        """Makes the data folder if it is missing. Raises `ConfigurationError` where that cannot be."""
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # names and addresses lie there
        except OSError as problem:
            raise ConfigurationError(
                f"OPENPOS_DATA: the folder {self.data} cannot be made: {problem.strerror}"
            ) from problem


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Reads `OPENPOS_…` from the environment (of this process unless another is given)."""
    given = os.environ if environment is None else environment
    data = Path(given.get("OPENPOS_DATA") or "data").absolute()
    env = {**read_secrets_file(data / SECRETS_FILE), **given}
    url = env.get("OPENPOS_DATABASE_URL") or f"sqlite:///{data / 'hub.sqlite'}"
    public_url = _public_url(env, "OPENPOS_PUBLIC_URL")
    offset_file = env.get("OPENPOS_TEST_CLOCK_OFFSET_FILE")
    return Settings(
        data=data,
        database_url=_with_driver(url),
        calls_url=f"sqlite:///{data / 'calls.sqlite'}" if url.startswith("sqlite") else _with_driver(url),
        trusted_proxies=_networks(env, "OPENPOS_TRUSTED_PROXIES"),
        max_body_bytes=_whole_number(env, "OPENPOS_MAX_BODY_BYTES", 256 * 1024),
        requests_per_minute=_whole_number(env, "OPENPOS_REQUESTS_PER_MINUTE", 60),
        requests_per_day=_whole_number(env, "OPENPOS_REQUESTS_PER_DAY", 10_000),
        public_orders_per_minute=_whole_number(env, "OPENPOS_PUBLIC_ORDERS_PER_MINUTE", 20),
        hosts=(*_hosts(env, "OPENPOS_HOSTS"), *_host_of(public_url)),
        public_url=public_url,
        origins=_origins(env, "OPENPOS_ORIGINS"),
        clock_offset_file=Path(offset_file) if offset_file else None,
        model_url=_model_url(env),
        model_key=env.get("OPENPOS_MODEL_KEY", ""),
        model_name=env.get("OPENPOS_MODEL_NAME", ""),
        evidence_key=_evidence_key(env.get("OPENPOS_EVIDENCE_KEY", "")),
        webhook_networks=_networks(env, "OPENPOS_WEBHOOK_NETWORKS"),
        secrets=env,
        secret_keys=_words(env, "OPENPOS_SECRET_KEY"),
    )


def read_secrets_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines of the optional secrets file in the data folder; the environment stands above it.

    Raises `ConfigurationError` for a data folder that is none, and for a file that cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except NotADirectoryError as problem:
        raise ConfigurationError(f"OPENPOS_DATA: {path.parent} is no folder") from problem
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise ConfigurationError(f"{path} is not UTF-8 text: line {line}") from None  # the cause holds the secrets
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _with_driver(url: str) -> str:
    """`postgresql://…` and `postgres://…` as people write them, with the driver the hub uses."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    if not url.startswith(("sqlite", "postgresql+psycopg://")):
        raise ConfigurationError("OPENPOS_DATABASE_URL must start with postgresql:// or sqlite:///")
    return url


def _model_url(env: Mapping[str, str]) -> str:
    url = env.get("OPENPOS_MODEL_URL", "")
    if url and not url.startswith(("http://", "https://")):
        raise ConfigurationError("OPENPOS_MODEL_URL must start with http:// or https://, like https://host/v1")
    if url and not env.get("OPENPOS_MODEL_NAME"):
        raise ConfigurationError("OPENPOS_MODEL_NAME must name the model behind OPENPOS_MODEL_URL")
    return url


def _evidence_key(text: str) -> str:
    if text and len(text) < _SHORTEST_EVIDENCE_KEY:
        raise ConfigurationError(f"OPENPOS_EVIDENCE_KEY must have at least {_SHORTEST_EVIDENCE_KEY} characters")
    return text


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    networks = _words(env, name)
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError as problem:
            raise ConfigurationError(f"{name}: {network!r} is no address or network like 10.0.0.0/8") from problem
    return networks


def _hosts(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    hosts = _words(env, name)
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigurationError(f"{name}: {host!r} is no host name like pos.example.com, without scheme and port")
    return hosts


def _origins(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    origins = _words(env, name)
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(f"{name}: {origin!r} is no origin like https://shop.example.com, without a path")
    return origins


def _public_url(env: Mapping[str, str], name: str) -> str:
    url = env.get(name, "").removesuffix("/")
    if not url:
        return ""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not _ORIGIN.fullmatch(url) or url != url.lower():
        raise ConfigurationError(
            f"{name}: {url!r} is no address like https://pos.example.com, in small letters, no path"
        )
    return url


def _host_of(url: str) -> tuple[str, ...]:
    return (urlsplit(url).hostname or "",) if url else ()


def _words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(env.get(name, "").replace(",", " ").split())


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise ConfigurationError(f"{name} must be a whole number above zero, not {text!r}")
    return int(text)
