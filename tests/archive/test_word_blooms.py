import numpy as np
import pyarrow as pa
import pytest

from sealog.archive import word_blooms
from sealog.query.words import words


def parts(*texts):
    """The parts of a row; what is not given is not there."""
    return [text.encode() for text in texts] + [b""] * (4 - len(texts))


def rows(count, each=100):
    """A column of filters over words of their own, beside some that stand in every row."""
    firsts = np.arange(count, dtype=np.int64) * 128
    texts = [
        " ".join([f"own{row}x{n}" for n in range(each - 10)] + [f"common{n}" for n in range(10)])
        for row in range(count)
    ]
    built = [word_blooms.build(128 * row, parts(text)) for row, text in enumerate(texts)]
    return pa.array(built, pa.large_binary()), firsts


def asked(text):
    return word_blooms.hashes_of(words(text))


def test_a_filter_is_a_byte_for_each_different_word():
    assert len(word_blooms.build(0, parts('{"a":"b c b","d":"A"}', '{"a":"e"}'))) == 5


def test_the_bytes_of_a_filter_are_pinned():
    """Rows that rest were built so: another hash would find nothing in them."""
    text = parts('{"event":{"action":"user.login"}}', '{"user":{"name":"Zażółć a-very-long-word"}}')

    assert word_blooms.build(0, text).hex() == "ff3aace84cf283cf0220"
    assert word_blooms.build(128, text).hex() == "de94575264ce570e9741"


def test_rows_that_hold_all_words_are_named():
    blooms, firsts = rows(40)

    assert np.flatnonzero(word_blooms.candidates(blooms, firsts, asked("own7x3"))).tolist() == [7]
    assert word_blooms.candidates(blooms, firsts, asked("common3 common4")).all()
    assert word_blooms.candidates(blooms, firsts, asked("common3 own9x0"))[9]


def test_without_words_every_row_is_named():
    blooms, firsts = rows(3)

    assert word_blooms.candidates(blooms, firsts, asked("")).tolist() == [True, True, True]


def test_about_one_row_in_fifty_is_named_wrongly():
    blooms, firsts = rows(500)

    wrong = [word_blooms.candidates(blooms, firsts, asked(f"absent{n}")).mean() for n in range(100)]

    assert 0.018 < np.mean(wrong) < 0.025
    # No word is unlucky in many rows: that is what the row in the hash is for.
    assert max(wrong) < 0.06


def test_an_empty_filter_was_not_built():
    blooms = pa.array([b"", word_blooms.build(5, parts("x")), b""], pa.binary())

    mask = word_blooms.candidates(blooms, np.array([0, 5, 9]), asked("absent"))

    assert mask.tolist() == [True, False, True]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()], ids=str)
def test_a_slice_of_a_column_is_a_column(kind):
    blooms, firsts = rows(20)
    blooms = blooms.cast(kind)

    mask = word_blooms.candidates(blooms[5:9], firsts[5:9], asked("own7x3"))

    assert mask.tolist() == [False, False, True, False]
    assert word_blooms.candidates(blooms[:0], firsts[:0], asked("own7x3")).tolist() == []


def test_a_row_without_words_says_no():
    blooms = pa.array([word_blooms.build(0, parts("{}"))], pa.binary())

    assert word_blooms.candidates(blooms, np.array([0]), asked("a")).tolist() == [False]


@pytest.mark.parametrize("letters", [1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200, 200_000])
def test_words_of_every_length_are_found_whole(letters):
    word = ("abcdefghijklmnopqrstuvwxyz" * (letters // 26 + 1))[:letters]
    blooms = pa.array([word_blooms.build(7, parts(f'{{"a":"{word}"}}'))], pa.binary())

    assert word_blooms.candidates(blooms, np.array([7]), asked(word)).tolist() == [True]
    if letters < 64:
        other = word_blooms.candidates(blooms, np.array([7]), asked(word + "z"))
        assert other.tolist() == [False]


def test_a_large_row_is_hashed_in_steps_and_no_word_is_cut():
    spoken = [f"w{n:x}" for n in range(40_000)]
    blooms = pa.array([word_blooms.build(1, parts(*[" ".join(spoken)] * 4))], pa.binary())

    assert word_blooms.candidates(blooms, np.array([1]), asked(" ".join(spoken))).tolist() == [True]
    assert len(blooms[0].as_py()) == pytest.approx(40_000, abs=2)
