"""A data folder with a journal and a ledger that can be crashed, copied and opened again."""

import shutil
import time
from pathlib import Path

from tests.journal.made import NOW_US, Counted, batch, tenant
from tests.ledger.whole import check_whole_log

from sealog.event.sealing import Sealer
from sealog.journal.journal import Journal
from sealog.ledger.files import LogFiles
from sealog.ledger.installation import open_installation
from sealog.ledger.ledger import Ledger, Settings
from sealog.ledger.notes import read_checkpoint
from sealog.storage.folder import Folder
from sealog.storage.store import Store
from sealog.storage.tables import signed

ROOMS = ("FORMAT", "keys", "logs", "archive")


class Life:
    """One process on one data folder, from start to stop or crash."""

    def __init__(self, path, tenants=2, *, sealer=None, against=(), **settings):
        settings = {"sign_every_s": 3600, "sync_every_s": 3600} | settings
        self.path = path
        self.tenants = {number: tenant(number) for number in range(1, tenants + 1)}
        self.sealer = sealer or Sealer(Counted())
        self.folder = Folder(path)
        self.folder.make()
        self.store = Store(self.folder.state)
        self.installation = open_installation(
            self.store, self.folder.keys, Counted(), name="log.example"
        )
        self.journal = Journal(self.store, lambda: NOW_US)
        self.ledger = Ledger(
            (self.store, self.journal, self.folder),
            self.installation,
            self.tenants.get,
            time.monotonic,
            Settings(**settings),
        )
        try:
            self.ledger.start(against=against)
        except BaseException:
            self.store.close()
            raise

    def append(self, number, *names):
        sent = batch(self.tenants[number], *names, sealer=self.sealer)
        (outcome,) = self.journal.append([sent]).result()
        return outcome, sent.entries

    def grow(self, number, count, mark=""):
        size = self.journal.size(number)
        for at in range(size, size + count, 1000):
            names = [f"{mark}{n}" for n in range(at, min(at + 1000, size + count))]
            self.append(number, *names)

    def archive_all(self):
        """As if the archive had everything, so that blocks go once they are synced."""
        sizes = self.journal.sizes()
        self.store.write(lambda c: self.journal.advance(c, archived=sizes)).result()

    def copy(self, to):
        """The folder as a crash now leaves it: `state.db` first, because files may only be ahead."""
        to.mkdir()
        for file in self.path.glob("state.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, to)
        for name in ROOMS:
            if (self.path / name).is_dir():
                shutil.copytree(self.path / name, to / name)
            else:
                shutil.copy(self.path / name, to)
        return to

    def signed(self, number):
        """The checkpoint that `state.db` says was signed."""
        with self.store.reading() as connection:
            rows = connection.execute(signed.select()).fetchall()
        notes = {row.tenant: row.note for row in rows}
        note = notes.get(number)
        vkey = self.installation.vkey(self.tenants[number])
        return None if note is None else read_checkpoint(note, [vkey])

    def log(self, number):
        return self.folder.logs(self.tenants[number].log_id)

    def check(self, number, entries):
        """Everything about one log, after `settle`: files, checkpoint, and what is served."""
        check_whole_log(LogFiles(self.log(number), len(entries)), b"".join(entries))
        note = self.ledger.checkpoint(self.tenants[number])
        shown = read_checkpoint(note, [self.ledger.vkey(self.tenants[number])])
        assert shown == self.signed(number)
        assert shown.size == len(entries)
        assert shown.root == LogFiles(self.log(number), len(entries)).root()

    def stop(self):
        self.ledger.stop()
        self.store.close()


def waited(claim, tries=500):
    """Whether something another thread does becomes true."""
    for _ in range(tries):
        if claim():
            return True
        time.sleep(0.01)
    return False


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
