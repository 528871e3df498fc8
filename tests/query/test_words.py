import pytest

from sealog.query.words import WORD_CHARS_MAX, in_ascii, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Bob@acme.com", ["bob", "acme", "com"], id="an-address"),
        pytest.param("agent_role_change", ["agent", "role", "change"], id="an-underscore"),
        pytest.param("198.51.100.7", ["198", "51", "100", "7"], id="an-ip"),
        pytest.param("-1.5E3 true", ["1", "5e3", "true"], id="a-number"),
        pytest.param(" \t\n\x00--", [], id="nothing"),
        pytest.param("Zażółć GĘŚLĄ", ["zażółć", "gęślą"], id="accents-are-kept"),
        pytest.param("Straße STRASSE", ["strasse", "strasse"], id="sharp-s"),
        pytest.param("ﬁle ＡＢＣ１ ℌ", ["file", "abc1", "h"], id="letters-that-look-different"),
        pytest.param("e\u0301te\u0301 \u00e9t\u00e9", ["été", "été"], id="composed-or-not"),
        pytest.param("İstanbul", ["i\u0307stanbul"], id="a-dotted-i"),
        pytest.param("ΌΣΟΣ όσος", ["όσοσ", "όσοσ"], id="a-last-sigma"),
        pytest.param("हिन्दी", ["हिन्दी"], id="marks-are-of-the-word"),
        pytest.param("東京タワー、ok", ["東", "京", "タ", "ワ", "ー", "ok"], id="characters-alone"),
        pytest.param("서울 시", ["서울", "시"], id="korean-has-spaces"),
        pytest.param("pass\u00adword zero\u200bwidth", ["password", "zerowidth"], id="unseen"),
        pytest.param("“quoted”—dash½", ["quoted", "dash1", "2"], id="other-punctuation"),
        pytest.param("a≮b", ["a", "b"], id="a-sign"),
        pytest.param("\ud800x", ["x"], id="half-a-character"),
        pytest.param("👩‍💻admin", ["admin"], id="an-emoji"),
    ],
)
def test_the_words_of_a_text(text, found):
    assert words(text) == found


@pytest.mark.parametrize("letter", ["a", "é"])
def test_of_a_long_word_only_the_beginning_is_looked_at(letter):
    assert words(letter * WORD_CHARS_MAX) == [letter * WORD_CHARS_MAX]
    assert words(letter * (WORD_CHARS_MAX + 1)) == [letter * WORD_CHARS_MAX]


def test_marks_without_end_are_left_out():
    """Putting a million marks in order would take minutes."""
    marks = "\u0300\u0316" * 200_000

    assert words("a" + marks) == ["\u00e0" + "\u0316" * 15 + "\u0300" * 14]


@pytest.mark.parametrize(
    ("char", "letters"),
    [
        *[
            ("ß", ["ss"]),
            ("ﬁ", ["fi"]),
            ("Ａ", ["a"]),
            ("½", ["1", "2"]),
            ("™", ["tm"]),
            ("\u212a", ["k"]),
        ],
        *[("é", []), ("ж", []), ("東", []), ("—", []), ("\u0301", []), ("\u00a0", []), ("İ", [])],
        *[("\u00ad", [""]), ("\u200d", [""]), ("\ufffd", []), ("A", ["a"])],
    ],
    ids=ascii,
)
def test_what_a_character_adds_to_a_word_of_ascii(char, letters):
    assert in_ascii(char) == letters
