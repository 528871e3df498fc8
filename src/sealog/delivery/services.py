"""The service of a tenant's settings: one stream, made and kept as the settings say.

What EasySend documents as delivery by a service: each log that is stored is pushed as it documents
it, alone, as the body of a request or as a file. The stream of a tenant belongs to its settings: it
begins with the change that asked for it, and ends with the one that asks for it no more.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from sealog.delivery.destination import Parsed
from sealog.delivery.opening import Delivery
from sealog.delivery.stream import BARE, DISABLED, Stream, Wanted
from sealog.delivery.telling import SYSTEM
from sealog.delivery.wishes import Wish
from sealog.errors import Refused, SealogError
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.intake.recording import id_of_change
from sealog.policy.policies import Kind, Policies
from sealog.policy.reading import Destination
from sealog.policy.settings import TenantSettings
from sealog.query.tree import Is, Query

DIALECT = "easysend"
PREFIX = "str_service_"
"""How the ids of streams begin that belong to settings."""
SOON_S = 0.05
AGAIN_S = 5.0
"""After a failure."""
VERSIONS_AT_ONCE = 100

_log = structlog.get_logger("sealog.delivery")

Find = Callable[[Tenant, str], tuple[int, Opened] | None]
"""An event by its id, and its index."""


def is_of_settings(stream_id: str) -> bool:
    """Whether a stream belongs to its tenant's settings, which alone change and end it."""
    return stream_id.startswith(PREFIX)


class Services:
    """Follows the settings of all tenants once it is started, in a thread of its own."""

    def __init__(
        self,
        delivery: Delivery,
        policies: Policies,
        tenants: Callable[[int], Tenant | None],
        find: Find,
    ) -> None:
        self._delivery = delivery
        self._policies = policies
        self._tenants = tenants
        self._find = find
        self._wanted: set[int] = set()
        self._wake = threading.Event()
        self._is_stopping = False
        self._end: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    def read(self, wanted: dict[str, Any], before: TenantSettings) -> Destination:
        """A service as it is asked for. Raises `Refused` with a pointer into it.

        What leaves is the documented log alone: nothing is around it.
        """
        if wanted.get("body", BARE) != BARE:
            detail = "a service sends the documented log alone: body is bare"
            raise Refused(detail, code="bad-destination", pointer="/body")
        body = {"body": BARE, **wanted}
        if wanted.get("kind") == "folder":
            body.setdefault("form", "json")
        held = None if before.service is None else Parsed(before.service, before.secrets)
        try:
            parsed = self._delivery.destination(body, held)
        except Refused as refusal:
            refusal.pointer = refusal.pointer.removeprefix("/destination")
            raise
        return Destination(parsed.shown, parsed.secrets, parsed.told)

    def start(self) -> None:
        """Make streams what the settings say, now and whenever those change. Streams MUST run."""
        self._end = self._policies.watch(self._heed)
        self._wanted.update(self._policies.chosen())
        self._wake.set()
        self._thread = threading.Thread(target=self._run, name="sealog-services", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; before the streams are stopped."""
        if self._thread is None or self._end is None:
            return
        self._end()
        self._end = None
        self._is_stopping = True
        self._wake.set()
        self._thread.join()

    def settle(self) -> float | None:
        """Look at every tenant whose settings changed; the seconds until it is to be done again.

        None where all is as the settings say.
        """
        again_s = SOON_S
        ours: dict[int, list[Stream]] = {}
        for stream in self._delivery.streams.all() if self._wanted else ():
            if is_of_settings(stream.id):
                ours.setdefault(stream.tenant, []).append(stream)
        for number in tuple(self._wanted):
            # Whoever changes them meanwhile names it again.
            self._wanted.discard(number)
            try:
                is_settled = self._keep(number, ours.get(number, ()))
            except Exception as error:  # noqa: BLE001 - one tenant's trouble is its own, and it is tried again
                is_settled, again_s = False, AGAIN_S
                reason = str(error) if isinstance(error, SealogError) else type(error).__name__
                _log.warning("a service cannot be as the settings say yet", reason=reason)
            if not is_settled:
                self._wanted.add(number)
        return again_s if self._wanted else None

    def _heed(self, tenant: int, kind: Kind) -> None:
        if kind == "settings":
            self._wanted.add(tenant)
            self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            self._wake.wait(self.settle())

    def _keep(self, number: int, ours: Sequence[Stream]) -> bool:
        tenant, chosen = self._tenants(number), self._policies.settings(number)
        if tenant is None:
            return True
        streams = self._delivery.streams
        began = self._began(number) if _is_on(chosen) else None
        wanted = None if began is None else f"{PREFIX}{began}_{tenant.log_id[:16]}"
        found: Stream | None = None
        for stream in ours:
            if stream.id == wanted:
                found = stream
            else:
                streams.delete(stream.id, SYSTEM)
        if wanted is None or began is None:
            return True
        wish = _wish(chosen)
        if found is None:
            index = self._find(tenant, id_of_change(tenant, "settings", began))
            if index is None:
                return False  # It is durable, and will be visible in a moment.
            streams.create(tenant, wish, index[0], SYSTEM, stream_id=wanted)
            return True
        if wish.wanted != found.wanted or chosen.secrets != found.secrets.destination:
            streams.change(found.id, wish, found.version, SYSTEM)
            if found.state == DISABLED:
                streams.resume(found.id, SYSTEM)
        return True

    def _began(self, number: int) -> int:
        """The version with which the service was asked for that is asked for still."""
        began = self._policies.settings(number).version
        while True:
            older = self._policies.history(number, "settings", VERSIONS_AT_ONCE, below=began)
            for change in older:
                if not (isinstance(change.new, TenantSettings) and _is_on(change.new)):
                    return began
                began = change.new.version
            if len(older) < VERSIONS_AT_ONCE:
                return began


def _is_on(chosen: TenantSettings) -> bool:
    return chosen.delivery == "api-and-service" and chosen.service is not None


def _wish(chosen: TenantSettings) -> Wish:
    assert chosen.service is not None
    wanted = Wanted(
        name="the service of the settings",
        destination=chosen.service,
        filter={"dialect": DIALECT},
        query=Query(where=Is("dialect", DIALECT)),
        dialect=DIALECT,
    )
    return Wish(wanted, Parsed(chosen.service, chosen.secrets))
