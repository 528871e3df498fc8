"""What counts never goes back, and says since which start of the machine it counts."""

from sealog.lifecycle import machine


def test_the_counting_clock_goes_on_and_the_other_is_the_callers():
    clocks = machine.clocks(lambda: 7)

    first, second = clocks.elapsed_us(), clocks.elapsed_us()

    assert 0 < first <= second
    assert clocks.us() == 7


def test_the_start_of_the_machine_is_the_same_for_every_program_on_it():
    assert machine.clocks(lambda: 0).boot == machine.clocks(lambda: 0).boot
