"""What a verification found: what is wrong, named; and into what every index was sorted."""

import msgspec

FAULTS_PER_TENANT_MAX = 200
FAULTS_MAX = 10_000
"""One broken disk must not fill the memory; what is left out is counted."""

PINNED = "key pinned: every checkpoint is signed with a key that you gave"
FROM_FOLDER = "consistent with itself, no more: the key is the folder's own word; pin it with --key or --against"
GROWN = "grown from the checkpoints that you hold; else the key is the folder's own word: pin it with --key"
UNMET = {
    PINNED: "key pinned: only signatures with a key that you gave count",
    FROM_FOLDER: "the key is the folder's own word; pin it with --key or --against",
    GROWN: "compared with the checkpoints that you hold; else the key is the folder's own word: pin it with --key",
}
"""What is said instead where something is wrong: what was asked for, not that it holds."""
UNSIGNED = "no key: the signatures were not checked; give one with --key"


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong, or, among `Report.unfinished`, that a crash or a writer left so."""

    tenant: str | None
    """None where it concerns the whole folder."""
    index: int | None
    where: str
    """A path relative to the data folder, or `state.db` and a table."""
    what: str
    """One sentence for people."""

    def __str__(self) -> str:
        place = "" if self.tenant is None else f"tenant {self.tenant}: "
        index = "" if self.index is None else f" (index {self.index})"
        return f"{place}{self.where}{index}: {self.what}"


class Counts(msgspec.Struct):
    """Every index below a tenant's size stands in exactly one of these."""

    opened: int = 0
    """Parts, commitment and entry agree."""
    erased: int = 0
    """The same, and a statement says why some parts are digests only."""
    expired: int = 0
    """Nothing is left but the entry; a statement says why."""
    statement: int = 0
    unexplained: int = 0
    """MUST be 0."""

    def add(self, other: "Counts") -> None:
        """Add another tenant's."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class TenantReport(msgspec.Struct):
    """One tenant's log and what became of its indexes."""

    tenant: str
    origin: str
    size: int = 0
    """Entries accepted."""
    signed_size: int = 0
    """Entries that the newest checkpoint covers; 0 before the first."""
    root: str = ""
    """The root at `signed_size`, recomputed from the entries, in hex."""
    counts: Counts = msgspec.field(default_factory=Counts)


class Report(msgspec.Struct):
    """All that `verify_folder` found."""

    faults: list[Fault] = []
    unfinished: list[Fault] = []
    """What is not damage: a server is writing, or the next start puts it right."""
    faults_left_out: int = 0
    tenants: list[TenantReport] = []
    counts: Counts = msgspec.field(default_factory=Counts)
    key_pinned: bool = False
    keys: list[str] = []
    """The Ed25519 public keys that were trusted, in hex."""
    trust: str = ""
    """What the verdict rests on, one sentence."""

    def add(self, findings: "Findings") -> None:
        """Take over what was found, up to the limit."""
        room = max(FAULTS_MAX - len(self.faults), 0)
        self.faults += findings.faults[:room]
        self.faults_left_out += findings.left_out + len(findings.faults[room:])
        self.unfinished += findings.unfinished[: max(FAULTS_MAX - len(self.unfinished), 0)]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class Findings:
    """Collects what is wrong with one tenant, or (tenant None) with the folder."""

    def __init__(self, tenant: str | None = None) -> None:
        self.tenant = tenant
        self.faults: list[Fault] = []
        self.unfinished: list[Fault] = []
        self.left_out = 0

    def fault(self, where: str, what: str, index: int | None = None) -> None:
        """Name something that is wrong."""
        if len(self.faults) == FAULTS_PER_TENANT_MAX:
            self.left_out += 1
        else:
            self.faults.append(Fault(self.tenant, index, where, what))

    def add(self, other: "Findings") -> None:
        """Take over what another has found of the same tenant."""
        for one in other.faults:
            self.fault(one.where, one.what, one.index)
        for one in other.unfinished:
            self.note(one.where, one.what, one.index)
        self.left_out += other.left_out

    def note(self, where: str, what: str, index: int | None = None) -> None:
        """Name something that is unfinished, not damaged."""
        if len(self.unfinished) < FAULTS_PER_TENANT_MAX:
            self.unfinished.append(Fault(self.tenant, index, where, what))
