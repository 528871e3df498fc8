import pytest
from tests.dialects.samples import GOLDEN, draft_of, shown

CASES = [
    path.relative_to(GOLDEN).as_posix().removesuffix(".in.json")
    for dialect in ("closer", "easysend", "chatvisor", "supsis", "logichub")
    for path in sorted((GOLDEN / dialect).glob("*.in.json"))
]


@pytest.mark.parametrize("case", CASES)
def test_a_record_means_what_we_agreed_it_means(case, golden):
    """Every documented sample, one of every documented type, and every shape seen elsewhere."""
    sent = (GOLDEN / f"{case}.in.json").read_bytes()

    draft = draft_of(case.partition("/")[0], sent)

    golden(f"dialects/{case}.ecs.json", shown(draft))


def test_every_documented_type_of_the_five_products_has_a_sample():
    from sealog.catalog.shelf import load

    sampled = {dialect: set() for dialect in ("chatvisor", "supsis", "logichub", "easysend")}
    for case in CASES:
        dialect = case.partition("/")[0]
        if dialect in sampled:
            draft = draft_of(dialect, (GOLDEN / f"{case}.in.json").read_bytes())
            sampled[dialect].add(draft.alias)

    missing = {
        dialect: {each.action for each in load().dialects[dialect].types} - aliases
        for dialect, aliases in sampled.items()
    }

    assert missing == {"chatvisor": set(), "supsis": set(), "logichub": set(), "easysend": set()}
