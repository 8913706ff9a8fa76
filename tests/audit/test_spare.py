"""Arrays that a program holds besides what it gives to `fit`, with the rows that go with it."""

from types import SimpleNamespace

import numpy as np

from truecopy.audit.feeding import sample_given
from truecopy.audit.spare import find_spare

CLEAN = np.arange(60.0).reshape(20, 3)
NOISY = CLEAN + 0.5


def spare_of(x, **names):
    frame = SimpleNamespace(f_locals=names, f_globals={})
    return find_spare([frame], (x, x), x, sample_given(x))


def test_arrays_of_as_many_rows_are_taken_as_they_are():
    found = spare_of(NOISY, clean=CLEAN, noisy=NOISY, labels=np.arange(20))

    assert list(found) == ["clean"]
    np.testing.assert_array_equal(found["clean"], CLEAN)


def test_a_slice_goes_with_the_same_rows_of_what_is_as_long_as_its_whole():
    found = spare_of(NOISY[5:15], clean=CLEAN, noisy=NOISY)

    assert list(found) == ["clean[5:15]"]
    np.testing.assert_array_equal(found["clean[5:15]"], CLEAN[5:15])


def test_a_copy_of_a_slice_goes_with_the_first_rows():
    found = spare_of(NOISY[:15].copy(), clean=CLEAN)

    assert list(found) == ["clean[:15]"]
    np.testing.assert_array_equal(found["clean[:15]"], CLEAN[:15])


def test_a_shorter_array_and_a_part_of_what_was_given_are_left_out():
    assert spare_of(NOISY, test=CLEAN[:10], part=NOISY[:10], view=NOISY[:]) == {}
