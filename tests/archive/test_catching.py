"""What waits at a start is not waited for by whoever asks for something else."""

import threading

from sealog.archive.catching import ASKED_MAX, CatchingUp


class Halves:
    """A journal with ten events of every tenant, all taken in when they are asked for."""

    def __init__(self):
        self.seen = {}
        self.order = []

    def size(self, _tenant):
        return 10

    def visible_of(self, tenant):
        return self.seen.get(tenant, 5)

    def take_first(self, tenant):
        self.order.append(tenant)
        self.seen[tenant] = 10


def begun():
    world = Halves()
    catching = CatchingUp(world, world, world, threading.Condition())
    catching.begin()
    return world, catching


def test_what_is_asked_for_is_taken_in_before_the_rest():
    world, catching = begun()

    is_there = catching.ask([3])
    before = is_there()
    catching.take_asked()

    assert (before, is_there(), world.order) == (False, True, [3])
    assert not catching.is_over()
    assert not catching.ask([4])()


def test_what_is_there_already_is_not_taken_in_again():
    world, catching = begun()
    world.seen[3] = 10

    assert catching.ask([3])()
    catching.take_asked()
    assert world.order == []


def test_whoever_asks_for_many_waits_for_all():
    world, catching = begun()

    is_there = catching.ask(range(ASKED_MAX + 1))
    catching.take_asked()
    before = is_there()
    catching.end()

    assert (before, is_there(), world.order) == (False, True, [])


def test_at_the_end_nobody_waits_whatever_was_left_out():
    """A tenant whose blocks are damaged is told of elsewhere, and must not hold up every question."""
    _, catching = begun()
    is_there = catching.ask([3])

    catching.end()

    assert is_there()
