"""Arrays that a program holds besides what it gives to `fit`, with the rows that go with it."""

from types import SimpleNamespace

import numpy as np

from truecopy.audit.feeding import sample_given
from truecopy.audit.spare import find_beside, find_noise_elsewhere, find_sources, find_spare

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


def beside(x, **names):
    frame = SimpleNamespace(f_locals=names, f_globals={"rows": CLEAN, "_hidden": x + 1})
    return find_beside([frame], (x, x), x)


def test_what_stands_beside_a_batch_has_its_shape_and_was_not_given():
    batch = CLEAN[:8]

    found = beside(batch, batch=batch, noisy=batch + 1, same=batch, other=CLEAN, count=3)

    assert list(found) == ["noisy"]
    np.testing.assert_array_equal(found["noisy"], batch + 1)
    assert beside(batch[:, 0], column=batch[:, 0] + 1) == {}  # labels of the rows


def test_sources_of_a_streams_rows_are_the_largest_arrays_of_such_rows():
    names = {
        "few": CLEAN[:5],
        "all": CLEAN,
        "wide": np.ones((9, 4)),
        "words": np.array([["a"] * 3]),
    }
    frame = SimpleNamespace(f_locals=names, f_globals={})

    assert list(find_sources([frame], CLEAN[:3])) == ["all", "few"]
    assert list(find_sources([frame], CLEAN[:3].reshape(3, 3, 1))) == ["all", "few"]


def noise_beside(x, **names):
    return find_noise_elsewhere([SimpleNamespace(f_locals=names, f_globals={})], x)


def test_noise_on_other_rows_is_found_in_whatever_shape_they_have():
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(200, 3)) @ draw.normal(size=(3, 16))
    train, test = rows[:120], rows[120:]
    noisy = (test + draw.normal(0, 0.5, test.shape)).reshape(-1, 4, 4)

    found = noise_beside(train, train=train, test=test, noisy_test=noisy)

    assert (found.name, found.relation) == ("noisy_test", "noisy-elsewhere")
    assert 0.4 < found.noise < 0.6
    assert noise_beside(train, train=train, test=test, scaled=2 * test, other=test[::-1]) is None
    assert noise_beside(train, test=test, broken=np.full_like(test, np.nan)) is None
    assert noise_beside([1.0, 2.0], test=test, noisy_test=noisy) is None
