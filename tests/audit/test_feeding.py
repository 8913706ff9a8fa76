"""Rows are sampled from whatever `fit` takes, which then still gets all it should."""

import random

import keras
import numpy as np
import pytest

from truecopy.audit.feeding import sample_given

X = np.arange(3000 * 4, dtype="float32").reshape(3000, 4)
Y = -X


def seed():
    np.random.seed(5)  # noqa: NPY002 (what users' programs do)
    random.seed(5)


def draw():
    return np.random.random(), random.random()  # noqa: NPY002, S311 (as above)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 30

    def __getitem__(self, index):
        draw()  # as data sets do that augment
        return X[index * 100 : index * 100 + 100], Y[index * 100 : index * 100 + 100]


def generator():
    for start in range(0, 3000, 100):
        yield X[start : start + 100], Y[start : start + 100]


def test_large_arrays_are_sampled_evenly_and_small_ones_taken_whole():
    sample = sample_given(X, Y)
    whole = sample_given(X[:10], Y[:10])

    assert sample.inputs.shape == (1024, 4)
    assert sample.sampled == "1,024 of 3,000 rows, evenly spread"
    np.testing.assert_array_equal(sample.targets, -sample.inputs)
    assert (sample.inputs[0, 0], sample.inputs[-1, 0]) == (X[0, 0], X[-1, 0])
    np.testing.assert_array_equal(whole.inputs, X[:10])
    assert whole.sampled == ""


def test_the_rows_that_validate_are_left_out():
    assert sample_given(X, share=0.5).inputs.max() == X[1499].max()
    assert sample_given(X, share=0.5).rows == 1500


def test_targets_that_are_the_inputs_are_not_copied():
    assert sample_given(X, X).targets is None


def test_the_sample_is_no_view_of_the_users_array():
    x = X[:10].copy()
    sample = sample_given(x, x[::-1])
    x[:] = 0

    assert sample.inputs.max() > 0
    assert sample.targets.max() > 0


@pytest.mark.parametrize(
    "make",
    [
        keras.ops.convert_to_tensor,
        lambda x: x.tolist(),
        lambda x: [x],
        lambda x: {"image": x},
        lambda x: pytest.importorskip("pandas").DataFrame(x),
    ],
    ids=["tensor", "list", "one input", "one named input", "data frame"],
)
def test_whatever_holds_rows_gives_the_same_rows(make):
    x = X[:2000]

    sample = sample_given(make(x), make(-x), most=100)

    expected = sample_given(x, most=100).inputs
    np.testing.assert_array_equal(sample.inputs, expected)
    np.testing.assert_array_equal(sample.targets, -expected)


def test_a_generator_still_gives_everything():
    sample = sample_given(generator(), most=250)
    passed_on = list(sample.replacement)

    np.testing.assert_array_equal(sample.inputs, X[:250])
    np.testing.assert_array_equal(sample.targets, Y[:250])
    np.testing.assert_array_equal(np.concatenate([x for x, _ in passed_on]), X)
    assert sample.sampled == "250 rows from 3 batches of a generator"


def test_weights_are_sampled_with_their_rows():
    weights = np.arange(2000.0)
    sample = sample_given(np.arange(2000.0)[:, None], None, weights)
    batches = ((x, x, 2 * x[:, 0]) for x in np.split(np.arange(12.0)[:, None], 3))
    streamed = sample_given(batches)

    np.testing.assert_array_equal(sample.weights, sample.inputs[:, 0])
    np.testing.assert_array_equal(streamed.weights, 2 * streamed.inputs[:, 0])
    assert sample_given(np.arange(9.0)[:, None]).weights is None


def test_a_data_set_is_read_evenly_and_random_numbers_stay_in_place():
    seed()
    expected = draw()
    seed()

    sample = sample_given(Batches())

    assert draw() == expected
    assert sample.replacement is None
    assert len(sample.inputs) == 1024
    np.testing.assert_array_equal(sample.targets, -sample.inputs)


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (([X, X], X), "The model has 2 inputs; their rows were not used."),
        ((X, [X, X]), "The model has 2 outputs; their targets were not used."),
        ((X, Y[:5]), "Inputs and targets differ in their number of rows."),
        ((iter([]),), "The list_iterator gave no batches: no rows to probe."),
        ((3,), "Data of type int can't be sampled."),
    ],
)
def test_what_has_no_rows_of_one_kind_says_so(given, note):
    sample = sample_given(*given)

    assert sample.notes == (note,)
    assert sample.targets is None
