"""Whatever bytes are a query: only `BadQuery` may escape, and what is read reads back.

    uv run --with atheris python tests/fuzz/fuzz_query.py -max_total_time=300

Coverage leads the way, so that it comes where drawn examples do not.
"""

import sys
from datetime import UTC
from zoneinfo import ZoneInfo

from sealog.query.refusing import BadQuery
from sealog.query.syntax import QUERY_CHARS_MAX, parse
from sealog.query.writing import written

NOW_US = 1_795_264_496_000_000
ZONE = ZoneInfo("Europe/Berlin")


def try_one(content: bytes) -> None:
    """Raise where a promise of the syntax is broken."""
    text = content.decode("utf-8", "ignore")
    try:
        asked = parse(text, now_us=NOW_US, zone=ZONE)
    except BadQuery as refused:
        if not 0 <= refused.offset <= refused.offset + refused.length <= len(text):
            raise AssertionError(text) from refused
        return
    again = written(asked)
    if len(again) <= QUERY_CHARS_MAX and parse(again, now_us=0, zone=UTC) != asked:
        raise AssertionError((text, again))


def main() -> None:
    """Run until told to stop."""
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
