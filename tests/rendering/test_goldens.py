import msgspec
import pytest
from tests.dialects.samples import GOLDEN
from tests.rendering.made import one, stored

from sealog.event import tokens
from sealog.event.record import Record
from sealog.rendering.rendering import DIALECTS, Renderer
from sealog.wire import framing

PRODUCTS = [dialect for dialect in DIALECTS if dialect != "ecs"]
CASES = [
    path.relative_to(GOLDEN).as_posix().removesuffix(".in.json")
    for dialect in DIALECTS
    for path in sorted((GOLDEN / dialect).glob("*.in.json"))
]
OWN = [case for case in CASES if not case.startswith("ecs/")]
SHAPES = [(dialect, "8.11") for dialect in DIALECTS] + [("ecs", "1.9")]


def sent(case):
    return (GOLDEN / f"{case}.in.json").read_bytes()


def readable(text):
    """JSON for people to review, as far as the formatter takes it."""
    try:
        return msgspec.json.format(text, indent=2) + b"\n"
    except msgspec.DecodeError:
        return text.replace(b',"', b',\n"') + b"\n"


@pytest.mark.parametrize("case", CASES)
def test_a_sample_leaves_in_every_shape_as_we_agreed(case, golden):
    """Every documented sample, in its own shape and in every other."""
    opened = one(case.partition("/")[0], sent(case))

    shown = {}
    for dialect, version in SHAPES:
        renderer = Renderer(dialect, ecs_version=version)
        name = f"{dialect} {version}" if dialect == "ecs" else dialect
        shown[name] = msgspec.Raw(renderer.event(opened, 0))

    golden(f"rendering/{case}.json", readable(msgspec.json.encode(shown)))


@pytest.mark.parametrize("case", OWN)
def test_a_sample_comes_back_from_its_own_dialect_as_it_was_printed(case):
    """CL-10 to CL-22, ES-40 to ES-46, CV-01 to CV-26, CP-01 to CP-14, LH-01 to LH-70: same keys,
    types, nesting, and time as printed; broken samples are mended (LH-Q7, ES-Q5).
    """
    dialect = case.partition("/")[0]
    # What somebody typed is masked (CV-Q5).
    given = sent(case).replace(b'"Ada Byron"', b'"[masked]"')

    shown = Renderer(dialect).event(one(dialect, given), 0)

    assert b"\n" not in shown
    try:
        wanted = msgspec.json.format(given, indent=-1)
        msgspec.json.decode(given)
    except msgspec.DecodeError:
        assert tokens.parse(shown).tree
        return
    assert shown == wanted.strip()


def test_the_whole_page_of_logichub_comes_back_record_by_record():
    """LH-Q7, LH-Q8: sent as it is printed, prose between the samples, each is what was read of it."""
    page = (GOLDEN.parent / "wire" / "logichub-page.txt").read_bytes()
    read = [answer for answer in framing.split(page) if isinstance(answer, Record)]

    found = stored("logichub", page)

    renderer = Renderer("logichub")
    assert len(found) == len(read) == 48
    for number, (opened, record) in enumerate(zip(found, read, strict=True)):
        line = renderer.event(opened, number)
        assert tokens.encode(tokens.parse(line).tree) == tokens.encode(record.fields)
