from sealog.intake.drawing import DRAWN_BYTES, Drawn


class Numbered:
    """Every two bytes differ; remembers what it was asked for."""

    def __init__(self):
        self.sizes = []
        self._next = 0

    def __call__(self, size):
        self.sizes.append(size)
        begin, self._next = self._next, self._next + (size + 1) // 2
        return b"".join(n.to_bytes(2, "big") for n in range(begin, self._next))[:size]


def test_small_draws_share_one_question_and_no_byte_is_given_twice():
    source = Numbered()
    drawn = Drawn(source)

    given = [drawn(64) for _ in range(100)]

    assert source.sizes == [DRAWN_BYTES, DRAWN_BYTES]
    assert [len(piece) for piece in given] == [64] * 100
    pairs = [piece[at : at + 2] for piece in given for at in range(0, 64, 2)]
    assert len(set(pairs)) == len(pairs)


def test_a_draw_that_no_longer_fits_is_taken_whole_from_new_bytes():
    source = Numbered()
    drawn = Drawn(source)

    drawn(DRAWN_BYTES - 10)
    piece = drawn(20)

    assert piece == b"".join(n.to_bytes(2, "big") for n in range(2048, 2058))


def test_large_draws_go_to_the_source():
    source = Numbered()
    drawn = Drawn(source)

    assert len(drawn(DRAWN_BYTES)) == DRAWN_BYTES
    assert len(drawn(0)) == 0
    assert source.sizes == [DRAWN_BYTES]
