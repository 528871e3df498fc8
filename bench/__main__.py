"""`python -m bench ingest|single|search|fragments|together|all`: see docs/performance.md."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench import fragments, ingest, machine, search, single, together

RUNS = {
    "ingest": ingest.run,
    "single": single.run,
    "search": search.run,
    "fragments": fragments.run,
    "together": together.run,
}


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("what", choices=[*RUNS, "all"])
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--events", type=int, help="per repeat; the default is each measure's own")
    asked.add_argument("--tenants", type=int, help="of fragments; 10,000 unless told")
    asked.add_argument("--folder", type=Path, help="where data folders are made, on the disk meant")
    asked.add_argument("--peers", action="store_true", help="the same load on what else is used")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        machine.show(Path(folder))
        for name, run in RUNS.items():
            if options.what in (name, "all"):
                if name == "fragments" and options.tenants:
                    run = partial(fragments.run, tenants=options.tenants)  # noqa: PLW2901
                run(
                    Path(folder),
                    repeats=options.repeats,
                    events=options.events,
                    peers=options.peers,
                )
    machine.show_load()


if __name__ == "__main__":
    sys.exit(main())
