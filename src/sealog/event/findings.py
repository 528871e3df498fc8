"""What was odd about a record that was kept anyway."""

import msgspec


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One oddity: a stable kebab-case `code`, where (JSON pointer into the record), and a word on it.

    Findings are sealed in `rest` as `sealog.findings[]`; they never carry a masked value.
    """

    code: str
    pointer: str = ""
    detail: str = ""


def pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901) from unescaped steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
