from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truecopy.data.noise import Noise, corrupt, parse_noise
from truecopy.errors import InvalidArgument, UnknownName

ROWS = np.full((3000, 5), 0.5, np.float32)
KINDS = ["gaussian:0.3", "gaussian:0.5,0.2", "salt-pepper:0.4", "masking:0.25"]


@pytest.mark.parametrize("text", KINDS)
@given(cuts=st.lists(st.integers(0, 3000), max_size=5))
@settings(deadline=None, max_examples=15)
def test_a_rows_noise_does_not_depend_on_the_batches(text, cuts):
    noise = parse_noise(text, bounds=(0, 1))
    edges = [0, *sorted(cuts), 3000]

    whole = corrupt(ROWS, noise, seed=7)
    parts = [corrupt(ROWS[a:b], noise, seed=7, first_row=a) for a, b in pairwise(edges)]

    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("text", KINDS)
def test_another_seed_gives_other_noise(text):
    noise = parse_noise(text, bounds=(0, 1))

    assert not np.array_equal(corrupt(ROWS, noise, seed=1), corrupt(ROWS, noise, seed=2))


def test_gaussian_noise_has_its_mean_and_spread():
    noisy = corrupt(ROWS, parse_noise("gaussian:0.25,2", bounds=None), seed=0)

    assert (noisy - ROWS).mean() == pytest.approx(0.25, abs=0.06)  # 3.7 standard errors
    assert (noisy - ROWS).std() == pytest.approx(2, abs=0.05)


def test_noise_is_clipped_to_the_bounds():
    noisy = corrupt(ROWS, parse_noise("gaussian:5", bounds=(0, 1)), seed=0)

    assert noisy.min() == 0
    assert noisy.max() == 1


def test_masking_sets_its_share_of_values_to_zero():
    noisy = corrupt(ROWS, parse_noise("masking:0.25", bounds=None), seed=0)

    assert set(np.unique(noisy)) == {0, 0.5}
    assert (noisy == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_salt_and_pepper_are_the_bounds_half_of_the_time_each():
    noisy = corrupt(ROWS, parse_noise("salt-pepper:0.4", bounds=(-1, 1)), seed=0)

    assert (noisy == -1).mean() == pytest.approx(0.2, abs=0.02)
    assert (noisy == 1).mean() == pytest.approx(0.2, abs=0.02)


def test_the_clean_rows_are_left_alone():
    corrupt(ROWS, parse_noise("masking:1", bounds=None), seed=0)

    assert (ROWS == 0.5).all()


@pytest.mark.parametrize("text", KINDS)
def test_a_noise_reads_what_it_writes(text):
    noise = parse_noise(text, bounds=(0, 1))

    assert parse_noise(str(noise), bounds=(0, 1)) == noise


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(UnknownName, match=r"Got 'saltpepper'\. Did you mean 'salt-pepper'\?"):
        parse_noise("saltpepper:0.1", bounds=(0, 1))


@pytest.mark.parametrize(
    "text",
    [
        "gaussian",
        "gaussian:",
        "gaussian:x",
        "gaussian:-1",
        "gaussian:1,2,3",
        "gaussian:nan",
        "masking:1.5",
        "masking:-0.1",
        "masking:0.1,0.2",
        "salt-pepper:",
        "gaussian:inf",
    ],
)
def test_a_bad_level_is_refused(text):
    with pytest.raises(InvalidArgument, match="The 'noise' argument of Autoencoder must be"):
        parse_noise(text, bounds=(0, 1))


def test_salt_and_pepper_need_bounds():
    with pytest.raises(InvalidArgument, match="must be gaussian or masking for data without"):
        parse_noise("salt-pepper:0.1", bounds=None)


def test_noise_is_a_plain_record():
    assert Noise("masking", rate=0.5) == Noise("masking", rate=0.5)
