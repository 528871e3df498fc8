"""What the command does is tested in test_reconciling.py."""

import pytest


def test_the_command_explains_itself(sealog):
    ran = sealog("reconcile", "--help")

    assert ran.code == 0
    assert "misses, holds twice, or holds altered" in ran.out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "5", "--to", "3"], "--to is before --from"),
        (["--stream", "str_1", "--query", "a"], "give --stream or --query"),
        ([], "there is no held.ndjson"),
    ],
)
def test_a_wrong_word_on_the_command_line_ends_with_2(sealog, options, why):
    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme", *options)

    assert ran.code == 2
    assert why in ran.err
