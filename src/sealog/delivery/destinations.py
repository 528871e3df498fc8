"""Destinations as people write them: read strictly, shown without secrets, and made.

A webhook: `{"kind": "webhook", "url", "body": "enveloped" | "bare", "signing": "ed25519" |
"hmac-sha256", "secret", "rotate", "headers", "timeout_s", "records_max", "certificate_authority"}`.
A folder: `{"kind": "folder", "path", "form": "ndjson" | "json", "body", "gzip", "rotation":
{"records", "bytes", "seconds"}}`. docs/destinations.md says what each means.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from sealog.delivery import addresses, connecting, folder, signing, webhook
from sealog.delivery.addresses import Allowed, Network
from sealog.delivery.destination import About, Destination, Parsed
from sealog.delivery.growing import Rotation
from sealog.errors import Misconfigured, Refused

WEBHOOK, FOLDER = "webhook", "folder"
KINDS = (WEBHOOK, FOLDER)
ENVELOPED, BARE = "enveloped", "bare"
BODIES = (ENVELOPED, BARE)

TIMEOUT_S_MAX = 30
RECORDS_MAX = 1_000
HEADERS_MAX = 16
HEADER_CHARS_MAX = 4_096
AUTHORITY_CHARS_MAX = 64 << 10
PATH_CHARS_MAX = 1_024
NAME_BYTES_MAX = 255
ROTATION_MAX = Rotation(records=1_000_000, bytes=1 << 30, seconds=86_400)
THREADS_PER_ROOT = 4
TRUSTS_MAX = 64
"""Whoever may check destinations can name ever more authorities: so many are kept."""

_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = {
    "host", "connection", "content-length", "content-type", "content-encoding", "expect",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "accept",
}  # fmt: skip
_OUR_PREFIXES = ("webhook-", "sealog-", "proxy-")


class Drawing(msgspec.Struct, frozen=True):
    """What reading a destination needs from outside."""

    allowed: Allowed
    draw: Callable[[int], bytes]
    """So many random bytes, for keys."""
    now_us: int


class Means:
    """What the destinations of a process share. Used from one event loop; `close` ends it."""

    def __init__(
        self,
        allowed: Allowed,
        clock_us: Callable[[], int],
        *,
        resolve: connecting.Resolving | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._allowed = allowed
        self._clock_us = clock_us
        self._resolve = resolve or connecting.Resolver()
        self._sleep = sleep
        self._trusts: dict[str | None, Any] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def make(self, parsed: Parsed, about: About) -> Destination:
        """The destination, ready to send. MUST be called in the event loop that uses it.

        What was read once is not judged again here: an address is whenever it is connected to, and
        a folder that is not open any more answers as one that is not there.
        """
        if parsed.shown["kind"] == WEBHOOK:
            form = _webhook_form(parsed)
            world = webhook.World(
                allowed=self._allowed,
                trust=self._trust(parsed.shown.get("certificate_authority")),
                resolve=self._resolve,
                clock_us=self._clock_us,
            )
            return webhook.Webhook(form, about, world)
        placed = _folder_form(parsed.shown, self._allowed)
        if placed.root not in self._threads:
            name = f"sealog-folder-{len(self._threads)}"
            self._threads[placed.root] = ThreadPoolExecutor(THREADS_PER_ROOT, name)
        return folder.Folder(placed, about, folder.World(self._threads[placed.root], self._sleep))

    def close(self) -> None:
        """Let threads end; wait for none that hangs."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    def _trust(self, authority: str | None) -> Any:
        # Loading the public authorities takes some 20 ms.
        found = self._trusts.pop(authority, None) or connecting.trust(authority)
        self._trusts[authority] = found
        if len(self._trusts) > TRUSTS_MAX:
            # The one that was not asked for the longest.
            del self._trusts[next(iter(self._trusts))]
        return found


def open_to(networks: Iterable[Network], folders: Iterable[Path], data: Path) -> Allowed:
    """What the operator opened. Raises `Misconfigured` for what must not be."""
    inside = data.resolve()
    for path in folders:
        if not path.is_absolute() or ".." in path.parts or path == Path("/"):
            raise Misconfigured(f"[delivery] folders: {path} is no absolute path below /")
        real = path.resolve()
        if inside.is_relative_to(real) or real.is_relative_to(inside):
            raise Misconfigured(f"[delivery] folders: {path} holds the data folder, or is in it")
    return Allowed(tuple(networks), tuple([str(path) for path in folders]))


def parse(
    body: Any, drawing: Drawing, *, before: Parsed | None = None, pointer: str = ""
) -> Parsed:
    """Read a destination. Raises `Refused` with the pointer of what is wrong, below `pointer`.

    `before`: what it replaces. Keys and the values of headers that are not given stay as they were,
    so that what was shown can be sent back.
    """
    fields = _Fields(body, pointer)
    kind = fields.choice("kind", KINDS, None)
    if before is not None and before.shown["kind"] != kind:
        before = None
    read = _webhook if kind == WEBHOOK else _folder
    return read(fields, drawing, before)


def show(parsed: Parsed) -> dict[str, Any]:
    """What anybody may see of it who may see its stream."""
    return dict(parsed.shown)


def _webhook(fields: "_Fields", drawing: Drawing, before: Parsed | None) -> Parsed:
    url = fields.text("url", addresses.URL_CHARS_MAX)
    place = addresses.read(url, drawing.allowed, fields.at("url"))
    is_bare = fields.choice("body", BODIES, ENVELOPED) == BARE
    records_max = fields.whole("records_max", RECORDS_MAX, 1)
    if is_bare and records_max > 1:
        what = "a record alone as the body is one record a request"
        raise Refused(what, code="bad-destination", pointer=fields.at("records_max"))
    headers = _headers(fields, _held(place, before))
    authority = fields.optional("certificate_authority", AUTHORITY_CHARS_MAX)
    if authority is not None:
        try:
            connecting.trust(authority)
        except ValueError as error:
            where = fields.at("certificate_authority")
            raise Refused(str(error), code="bad-certificate", pointer=where) from None
    signs: signing.Kind = fields.choice("signing", signing.KINDS, signing.KINDS[0])
    keys, told = _keys(fields, signs, drawing, before)
    shown = {
        "kind": WEBHOOK,
        "url": place.text,
        "body": BARE if is_bare else ENVELOPED,
        "signing": signs,
        "headers": dict.fromkeys(headers),
        "timeout_s": fields.whole("timeout_s", TIMEOUT_S_MAX, webhook.TIMEOUT_S_DEFAULT),
        "records_max": records_max,
    }
    # Shown with it, and so taken back.
    fields.take("public_key")
    public = signing.public_key(keys[0])
    if public is not None:
        shown["public_key"] = public
    if authority is not None:
        shown["certificate_authority"] = authority
    fields.end()
    secrets = {"keys": msgspec.to_builtins(list(keys)), "headers": headers}
    return Parsed(shown, secrets, told)


def _keys(
    fields: "_Fields", kind: signing.Kind, drawing: Drawing, before: Parsed | None
) -> tuple[tuple[signing.Key, ...], dict[str, Any]]:
    """The keys, the one in force first, and what is told of a new one this once."""
    given = fields.optional("secret", 2 * signing.SECRET_BYTES_MAX)
    rotates = fields.flag("rotate")
    old: tuple[signing.Key, ...] = ()
    if before is not None:
        held = msgspec.convert(before.secrets["keys"], tuple[signing.Key, ...])
        # Keys of both kinds may sign side by side: a receiver leaves what it does not know.
        old = signing.in_force(held, drawing.now_us)
        if given is None and not rotates and before.shown["signing"] == kind:
            return old, {}
    if given is not None:
        key = signing.read_key(kind, given, fields.at("secret"))
    else:
        key = signing.draw_key(kind, drawing.draw)
    public = signing.public_key(key)
    told = {"public_key": public} if public is not None else {}
    if public is None and given is None:
        told = {"secret": key.text}
    return signing.replaced(old, key, drawing.now_us), told


def _held(place: addresses.Place, before: Parsed | None) -> Mapping[str, str]:
    """The values that headers may keep: none where they would go to somebody else."""
    if before is None:
        return {}
    old = addresses.place_of(before.shown["url"])
    if (old.scheme, old.host, old.port) != (place.scheme, place.host, place.port):
        return {}
    held: dict[str, str] = before.secrets["headers"]
    return held


def _headers(fields: "_Fields", held: Mapping[str, str]) -> dict[str, str]:
    given = fields.table("headers")
    where = fields.at("headers")
    if len(given) > HEADERS_MAX:
        what = f"at most {HEADERS_MAX} headers"
        raise Refused(what, code="bad-destination", pointer=where)
    headers: dict[str, str] = {}
    for written, value in given.items():
        name, pointer = written.lower(), f"{where}/{_escaped(written)}"
        if not _HEADER.fullmatch(name) or name in headers:
            what = "this is no header's name, or it stands here twice"
            raise Refused(what, code="bad-destination", pointer=pointer)
        if name in _OURS or name.startswith(_OUR_PREFIXES):
            raise Refused(
                "Sealog writes this header itself", code="bad-destination", pointer=pointer
            )
        if value is None and name in held:
            headers[name] = held[name]
            continue
        if (
            not isinstance(value, str)
            or len(value) > HEADER_CHARS_MAX
            or not _VALUE.fullmatch(value)
        ):
            what = f"a header's value is 1 to {HEADER_CHARS_MAX} characters of visible ASCII"
            if value is None:
                what = "there is no value to keep: it is given anew for a new header or host"
            raise Refused(what, code="bad-destination", pointer=pointer)
        headers[name] = value
    return headers


def _folder(fields: "_Fields", drawing: Drawing, before: Parsed | None) -> Parsed:
    del before  # A folder keeps no secrets.
    path = fields.text("path", PATH_CHARS_MAX)
    pure = PurePosixPath(path)
    _placed(pure, drawing.allowed, fields.at("path"))
    is_single = fields.choice("form", ("ndjson", "json"), "ndjson") == "json"
    shown: dict[str, Any] = {
        "kind": FOLDER,
        "path": str(pure),
        "form": "json" if is_single else "ndjson",
        "body": fields.choice("body", BODIES, ENVELOPED),
        "gzip": fields.flag("gzip"),
    }
    if not is_single:
        usual = Rotation()
        rotation = _Fields(fields.table("rotation"), fields.at("rotation"))
        shown["rotation"] = {
            "records": rotation.whole("records", ROTATION_MAX.records, usual.records),
            "bytes": rotation.whole("bytes", ROTATION_MAX.bytes, usual.bytes),
            "seconds": rotation.whole("seconds", int(ROTATION_MAX.seconds), int(usual.seconds)),
        }
        rotation.end()
    fields.end()
    return Parsed(shown, {})


def _placed(path: PurePosixPath, allowed: Allowed, pointer: str) -> tuple[str, tuple[str, ...]]:
    """The root a path is in, the longest of them, and the names below it."""
    roots = sorted(allowed.folders, key=len, reverse=True)
    is_odd = not path.is_absolute() or any(
        not name.isprintable() or len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX
        for name in path.parts
    )
    if is_odd or ".." in path.parts:
        what = "a path is absolute, without .. and without control characters"
        raise Refused(what, code="bad-path", pointer=pointer)
    for root in roots:
        inner = folder.below(path, PurePosixPath(root))
        if inner is not None:
            return root, inner
    what = "this is in none of the folders that [delivery] folders names"
    raise Refused(what, code="folder-not-allowed", pointer=pointer)


def _webhook_form(parsed: Parsed) -> webhook.Form:
    shown = parsed.shown
    # As it was read, whatever the networks are now: connecting judges.
    place = addresses.place_of(shown["url"])
    return webhook.Form(
        place=place,
        keys=msgspec.convert(parsed.secrets["keys"], tuple[signing.Key, ...]),
        bare=shown["body"] == BARE,
        headers=tuple(parsed.secrets["headers"].items()),
        timeout_s=shown["timeout_s"],
        records_max=shown["records_max"],
    )


def _folder_form(shown: Mapping[str, Any], allowed: Allowed) -> folder.Form:
    path = PurePosixPath(shown["path"])
    try:
        root, inner = _placed(path, allowed, "")
    except Refused:
        root, inner = folder.NOWHERE, ()
    return folder.Form(
        root=root,
        inner=inner,
        single=shown["form"] == "json",
        bare=shown["body"] == BARE,
        squeezed=shown["gzip"],
        rotation=msgspec.convert(shown.get("rotation", {}), Rotation),
    )


class _Fields:
    """An object of JSON whose fields are taken one by one, and that must hold no others."""

    def __init__(self, body: Any, pointer: str) -> None:
        if not isinstance(body, dict):
            raise Refused("this is an object", code="bad-destination", pointer=pointer)
        self._body = dict(body)
        self._pointer = pointer

    def at(self, name: str) -> str:
        return f"{self._pointer}/{name}"

    def take(self, name: str) -> Any:
        return self._body.pop(name, None)

    def text(self, name: str, chars_max: int) -> str:
        found = self.optional(name, chars_max)
        if found is None:
            raise self._wrong(name, f"{name} is missing")
        return found

    def optional(self, name: str, chars_max: int) -> str | None:
        found = self.take(name)
        if found is not None and not (isinstance(found, str) and 0 < len(found) <= chars_max):
            raise self._wrong(name, f"{name} is text of 1 to {chars_max} characters")
        return found

    def choice(self, name: str, choices: Iterable[Any], usual: Any) -> Any:
        found = self.take(name)
        if found is None and usual is not None:
            return usual
        if found not in choices:
            raise self._wrong(name, f"{name} is one of {', '.join(choices)}")
        return found

    def whole(self, name: str, most: int, usual: int) -> int:
        found = self.take(name)
        if found is None:
            return usual
        if type(found) is not int or not 1 <= found <= most:
            raise self._wrong(name, f"{name} is a whole number from 1 to {most}")
        return found

    def flag(self, name: str) -> bool:
        found = self.take(name)
        if found is not None and type(found) is not bool:
            raise self._wrong(name, f"{name} is true or false")
        return bool(found)

    def table(self, name: str) -> dict[str, Any]:
        found = self.take(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise self._wrong(name, f"{name} is an object")
        return found

    def end(self) -> None:
        for name in self._body:
            raise self._wrong(_escaped(name), "there is no such field")

    def _wrong(self, name: str, detail: str) -> Refused:
        return Refused(detail, code="bad-destination", pointer=self.at(name))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
