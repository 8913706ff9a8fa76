"""How inputs and targets hang together, from their numbers."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from truecopy.audit.cardinal import find_cardinal
from truecopy.audit.pairs import compare_pair
from truecopy.audit.subject import Subject
from truecopy.rules.modelfacts import Where

DRAW = np.random.default_rng(1)
CLEAN = (load_digits().data / 16).astype("float32")
NOISY = (CLEAN + 0.4 * DRAW.normal(size=CLEAN.shape)).astype("float32")


def pair_of(inputs, targets, **known):
    return compare_pair(Subject(model=None, target="m", inputs=inputs, targets=targets, **known))


def test_the_inputs_themselves_are_identical_targets():
    facts = pair_of(CLEAN, CLEAN.copy())

    assert facts.identical
    assert facts.correlation == pytest.approx(1)
    assert facts.inputs.rows == len(CLEAN)
    assert facts.targets.name == "targets"


def test_a_denoiser_has_the_noisier_input_and_one_turned_round_the_noisier_target():
    assert pair_of(NOISY, CLEAN).noisier == "input"
    assert pair_of(CLEAN, NOISY).noisier == "target"
    assert pair_of(NOISY, CLEAN).noise == pytest.approx(0.4, rel=0.05)


def test_targets_in_another_order_correlate_no_better_than_shuffled_ones():
    right = pair_of(NOISY, CLEAN)
    wrong = pair_of(CLEAN, CLEAN[DRAW.permutation(len(CLEAN))])

    assert right.correlation > 0.3
    assert abs(right.shuffled) < 0.1
    assert abs(wrong.correlation) < 0.1


def test_other_units_and_another_shape_are_the_same_rows():
    facts = pair_of(CLEAN.reshape(-1, 8, 8, 1), 255 * CLEAN)

    assert facts.correlation == pytest.approx(1)
    assert facts.noisier == "neither"


def test_spare_arrays_are_told_by_what_they_are_to_the_inputs():
    spare = {
        "clean": CLEAN,
        "again": NOISY.copy(),
        "bytes": 255 * NOISY,
        "labels": np.arange(len(CLEAN)),
        "test": CLEAN[:100],
    }
    line = Where(file="train.py", line=3)

    facts = pair_of(NOISY, NOISY, spare=spare, wheres={"array clean": line})

    assert [(s.name, s.relation) for s in facts.spare] == [
        ("clean", "cleaner-copy"),
        ("bytes", "other"),
    ]
    assert facts.spare[0].noise == pytest.approx(0.4, rel=0.05)
    assert facts.spare[0].where == line
    (unused,) = pair_of(CLEAN, CLEAN, spare={"noisy": NOISY}).spare
    assert unused.relation == "noisy-copy"


def test_sums_common_values_and_variation_are_those_of_numpy():
    targets = np.array([[0, 0, 1.0], [0, 2, 3]] * 10)

    facts = pair_of(CLEAN[:20], targets)

    assert facts.target_sums == (1, 3, 5)
    assert (facts.most_common, facts.common_value) == (0.5, 0)
    assert facts.variation == pytest.approx(2 / 3)  # deviations 0, 1, 1 over means 0, 1, 2
    assert facts.correlation is None


def test_validation_data_are_profiled_too():
    facts = pair_of(CLEAN, CLEAN, validation=(255 * CLEAN[:9], CLEAN[:9]))

    assert facts.validation.maximum == 255
    assert facts.validation_targets.maximum == 1


@pytest.mark.parametrize(
    "rows",
    [
        np.full((30, 3), np.nan),
        DRAW.random(30),
        DRAW.random((30, 5, 2)),
        DRAW.random((30, 3)) > 0.5,
        DRAW.integers(0, 9, (30, 3)),
        DRAW.random((3, 2)),
    ],
)
def test_rows_of_any_shape_and_type_are_compared(rows):
    facts = pair_of(rows, rows)

    assert facts.identical
    assert facts.inputs.rows == len(rows)


def test_rows_with_missing_values_are_counted_and_left_out():
    rows = NOISY.copy()
    rows[5, 7] = np.nan

    facts = pair_of(rows, CLEAN)

    assert facts.inputs.non_finite.places == ((5, 7),)
    assert facts.noisier == "input"


def test_words_are_no_rows():
    assert pair_of(np.array([["a"], ["b"]]), None) is None
    assert pair_of(None, None) is None


def test_only_numbers_given_to_things_are_cardinal():
    columns = {
        "postal": DRAW.integers(10_000, 99_999, 300),
        "row": np.arange(5_000, 5_300),
        "age": DRAW.integers(18, 90, 300),
        "income": np.rint(DRAW.lognormal(10, 0.5, 300)),
        "price": 100 * DRAW.integers(10, 500, 300),
        "height": DRAW.uniform(1_000, 9_000, 300),
    }
    table = np.stack(list(columns.values()), axis=1)

    assert [list(columns)[i] for i in find_cardinal(table)] == ["postal", "row"]
    assert find_cardinal(DRAW.integers(0, 256, (300, 64))) == ()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scaled_numbers_given_to_things_are_cardinal(dtype):
    age = DRAW.integers(18, 90, 800)
    columns = {
        "customer": DRAW.permutation(np.arange(100_000, 101_500))[:800],
        "code": DRAW.permutation(np.arange(5_000, 7_000))[:800],
        "age": age,
        "share": DRAW.uniform(0, 1, 800),
        "rounded": np.round(DRAW.normal(0, 1, 800), 3),
        "due": 10 * age + DRAW.integers(0, 9, 800),
        "grey": DRAW.integers(0, 256, 800),
    }
    table = np.stack(list(columns.values()), axis=1).astype(float)
    scaled = (table - table.min(axis=0)) / np.ptp(table, axis=0)
    standard = (table - table.mean(axis=0)) / table.std(axis=0)

    for moved in (scaled, standard):
        found = find_cardinal(moved.astype(dtype))
        assert [list(columns)[i] for i in found] == ["customer", "code"]


def test_the_numbers_of_a_short_list_of_words_are_cardinal_in_sequences_too():
    words = DRAW.integers(0, 40, (800, 5))
    walk = np.cumsum(DRAW.integers(0, 5, (800, 9)), axis=1)

    assert find_cardinal(words[..., None].astype(np.float32)) == (0, 1, 2, 3, 4)
    assert find_cardinal(words) == (0, 1, 2, 3, 4)
    assert find_cardinal(walk[..., None]) == ()  # each number hangs on the one before
    assert find_cardinal(DRAW.binomial(40, 0.5, (800, 5))) == ()  # counts crowd in the middle
    assert find_cardinal(2 * words) == ()  # every other number is missing
    assert find_cardinal(np.arange(100)[:, None, None].repeat(3, axis=1)) == ()


def test_words_of_a_vocabulary_are_cardinal_and_independent_bytes_are_not():
    shares = 1 / np.arange(1, 501)
    words = DRAW.choice(np.arange(1, 501), (800, 12), p=shares / shares.sum())

    assert find_cardinal(words) == tuple(range(12))
    assert find_cardinal(words.astype(np.float32)) == tuple(range(12))
    assert find_cardinal(DRAW.poisson(3, (800, 12))) == ()
    assert find_cardinal(np.sort(words, axis=1)) == ()
