"""`sealog.toml` and `SEALOG_*` variables: one section per room, unknown keys refused.

The attribute docstrings are the documentation: `sealog init` writes them as comments, and
docs/settings.md is made from them.
"""

import tomllib
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from sealog.errors import Misconfigured

FILE = "sealog.toml"
_SECTION = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class InstallationSettings(BaseModel):
    """What this installation is called."""

    model_config = _SECTION

    name: str | None = None
    """A host name of yours, with path segments if you like: it begins the origin of every sealed
    log. Fixed when the data folder is made; without it a random name under sealog.invalid."""


class ServerSettings(BaseModel):
    """Where the API listens and who may knock how often."""

    model_config = _SECTION

    listen: str = "127.0.0.1:8321"
    """Address and port. Anything beyond loopback needs tls_certificate, or behind_proxy."""
    tls_certificate: Path | None = None
    """A PEM file with the certificate chain."""
    tls_key: Path | None = None
    """A PEM file with its private key."""
    behind_proxy: bool = False
    """A proxy of yours in front speaks TLS; listening beyond loopback in plain is then allowed."""
    requests_per_s: int = Field(5_000, ge=1)
    """How many requests a key may make in a second, over time."""
    requests_burst: int = Field(20_000, ge=1)
    """How many it may make at once."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses or networks of proxies whose word on where a request came from is taken, such as
    ["10.0.0.0/8"]. Both are recorded: the client they name, and the proxy."""
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """The header those proxies write. Only this one is read: they may pass another on as the client
    wrote it."""
    tails_per_key: int = Field(100, ge=1, le=10_000)
    """How many tails a key may have open at once."""


class AccessSettings(BaseModel):
    """Tenants and keys."""

    model_config = _SECTION

    create_by_naming: bool = True
    """Whether a key for all tenants makes a tenant by naming it."""


class IntakeSettings(BaseModel):
    """How records are taken in."""

    model_config = _SECTION

    inline_bytes_max: int = Field(20_000, ge=0)
    """Bodies up to this are prepared where they arrive; larger and compressed ones apart."""
    workers: int | None = Field(None, ge=0, le=64)
    """Processes that prepare larger and compressed bodies when serving; 0 leaves them to a thread.
    Without it one more than cores, up to 4, and none on a single core."""
    preparing_bytes_max: int = Field(256 << 20, ge=1 << 20)
    """Bytes of request bodies that may be in preparation at once; more is answered 503."""


class JournalSettings(BaseModel):
    """What may wait to be written."""

    model_config = _SECTION

    waiting_events_max: int = Field(100_000, ge=1)
    """Events that may wait for the next commit; more is answered 503."""


class LedgerSettings(BaseModel):
    """How often the sealed logs are signed and synced."""

    model_config = _SECTION

    sign_every_s: float = Field(1.0, ge=0.05, le=3600)
    """Seconds from a change to its checkpoint, at most."""
    sync_every_s: float = Field(10.0, ge=0.1, le=3600)
    """Seconds between two rounds that make all log files durable."""


class ArchiveSettings(BaseModel):
    """How events come to rest."""

    model_config = _SECTION

    segment_events: int = Field(512, ge=16, le=8_192)
    """A tenant's waiting events are cut into a segment when there are this many."""
    cut_every_s: float = Field(1.0, ge=0.05, le=60)
    """Seconds between two rounds of cutting, at least, unless too much waits."""
    waiting_events_max: int = Field(200_000, ge=1_000)
    """Events of all tenants that wait in memory before segments are cut early."""


class ExportSettings(BaseModel):
    """Files of events, made in the background."""

    model_config = _SECTION

    expire_after_s: float = Field(86_400, ge=1, le=31 * 86_400)
    """Seconds for which a finished export can be fetched; then its file is deleted."""
    running_max: int = Field(1, ge=1, le=8)
    """How many are made at once."""
    per_tenant_max: int = Field(10, ge=1, le=1_000)
    """How many a tenant may have that are under way or ready; one more is answered 429."""
    bytes_max: int = Field(50 << 30, ge=1 << 20)
    """Bytes of all files together; beyond it nothing is begun (503), and what grows past it fails."""
    workers: int | None = Field(None, ge=0, le=64)
    """Processes, of the lowest priority, that write each export; 0 leaves it to a thread. Without
    it one a core, up to 2."""


class DeliverySettings(BaseModel):
    """Where streams may deliver to."""

    model_config = _SECTION

    per_tenant_max: int = Field(20, ge=0, le=1_000)
    """How many streams a tenant may have; one more is answered 429."""
    allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    """Networks beyond the public internet that webhooks may go to, such as ["10.1.0.0/16"]; in them
    plain HTTP and any port are allowed too."""
    folders: tuple[Path, ...] = ()
    """Folders below which streams may drop files, such as ["/srv/drop"]. They must be there, and
    hold nothing of the data folder."""


class LogicHubSettings(BaseModel):
    """How LogicHub's records are read."""

    model_config = _SECTION

    day_first: bool = True
    """Whether 11/03/2020 is the 11th of March."""


class DialectSettings(BaseModel):
    """How records of each product are read."""

    model_config = _SECTION

    logichub: LogicHubSettings = LogicHubSettings()
    """LogicHub."""


class EasySendSettings(BaseModel):
    """Security logs by API, as EasySend documents it."""

    model_config = _SECTION

    tenant: str = Field("easysend", min_length=1, max_length=128)
    """Whose logs the documented API key reads, and keys for several tenants."""
    api_key_file: Path | None = None
    """A file with that key, which callers send in the header apiKey. The variable
    EASYSEND_SECURITY_LOGS_API_KEY, which holds the key itself, wins over it."""
    seconds_max: float = Field(55.0, ge=1, le=55)
    """An answer that is under way for so long is broken off."""


class CompatSettings(BaseModel):
    """The documented interfaces of other products."""

    model_config = _SECTION

    easysend: EasySendSettings = EasySendSettings()
    """EasySend."""


class Settings(BaseSettings):
    """Everything that can be set. A variable such as SEALOG_SERVER__LISTEN wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix="SEALOG_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    installation: InstallationSettings = InstallationSettings()
    """What this installation is called."""
    server: ServerSettings = ServerSettings()
    """Where the API listens and who may knock how often."""
    access: AccessSettings = AccessSettings()
    """Tenants and keys."""
    intake: IntakeSettings = IntakeSettings()
    """How records are taken in."""
    journal: JournalSettings = JournalSettings()
    """What may wait to be written."""
    ledger: LedgerSettings = LedgerSettings()
    """How often the sealed logs are signed and synced."""
    archive: ArchiveSettings = ArchiveSettings()
    """How events come to rest."""
    exports: ExportSettings = ExportSettings()
    """Files of events, made in the background."""
    delivery: DeliverySettings = DeliverySettings()
    """Where streams may deliver to."""
    dialects: DialectSettings = DialectSettings()
    """How records of each product are read."""
    compat: CompatSettings = CompatSettings()
    """The documented interfaces of other products."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the shape pydantic-settings calls
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over what the file says.

        Those without `__` are the command line's own: SEALOG_SERVER is an address, no section.
        """
        assert isinstance(env_settings, EnvSettingsSource)
        env_settings.env_vars = {
            name: value for name, value in env_settings.env_vars.items() if "__" in name
        }
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Read a configuration file (none: `sealog.toml` here, if there is one) and the variables.

    Raises `Misconfigured` naming every key that is unknown or wrong.
    """
    found = path or Path(FILE)
    if path is not None and not path.is_file():
        raise Misconfigured(f"there is no {path}")
    values: dict[str, Any] = {}
    if found.is_file():
        try:
            values = tomllib.loads(found.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{found}: {error}") from error
    try:
        return Settings(**values)
    except SettingsError as error:
        raise Misconfigured(f'SEALOG_*: a list is written as JSON, ["…"]: {error}') from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise Misconfigured(f"{found if values else 'SEALOG_*'}: {faults}") from error


def written() -> str:
    """A `sealog.toml` with every setting, its meaning, and its default, commented out."""
    lines = [
        "# Sealog's settings. Every line that is commented out shows the default.",
        "# A variable wins over this file: SEALOG_SERVER__LISTEN is [server] listen.",
    ]
    _write_section(lines, "", Settings)
    return "\n".join(lines) + "\n"


def _write_section(lines: list[str], name: str, section: type[BaseModel]) -> None:
    for key, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        inner = f"{name}.{key}" if name else key
        if isinstance(default, BaseModel):
            lines += ["", *_comment(field.description), f"[{inner}]"]
            _write_section(lines, inner, type(default))
            continue
        lines += [*_comment(field.description), f"# {key} = {_toml(default)}"]


def _comment(text: str | None) -> list[str]:
    words = " ".join((text or "").split())
    return wrap(words, 88, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"'
