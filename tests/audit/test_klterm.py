"""The closed form is the integral, and wrong forms are named for what is wrong."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from truecopy.audit.klterm import choose_points, judge, kl_per_latent

POINTS = choose_points(4, (3,))


def changes_of(term):
    """Return what a loss with this term, averaged over rows, changes by."""
    totals = np.array([term(m, s).sum(axis=-1).mean() for m, s in POINTS])
    return totals - totals[0]


def right(m, s):
    return 0.5 * (m**2 + np.exp(s) - 1 - s)


@pytest.mark.parametrize(
    ("reading", "deviation"),
    [
        ("log-variance", lambda s: np.exp(0.5 * s)),
        ("log-std", np.exp),
        ("std", lambda s: s),
        ("softplus-std", lambda s: np.log1p(np.exp(s))),
    ],
)
def test_the_closed_form_is_the_integral(reading, deviation):
    mean, spread = 0.7, 0.4
    q, p = norm(mean, deviation(spread)), norm()

    exact, _ = quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -12, 12)

    form = kl_per_latent(np.array([mean]), np.array([spread]), reading)
    assert form[0] == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 4.0, 1 / 3, 1e-3])
def test_the_right_form_matches_at_any_weight(scale):
    term = judge(POINTS, scale * changes_of(right), 1.0)

    assert term.matches
    assert term.scale == pytest.approx(scale)
    assert term.reading == "log-variance"
    np.testing.assert_allclose(np.array(term.closed) * scale, scale * changes_of(right))


@pytest.mark.parametrize(
    ("form", "reading"),
    [
        (lambda m, s: 0.5 * (m**2 + np.exp(2 * s) - 1 - 2 * s), "log-std"),
        (lambda m, s: 0.5 * (m**2 + s**2 - 1 - 2 * np.log(np.where(s > 0, s, np.nan))), "std"),
    ],
)
def test_other_readings_of_the_head_match_too(form, reading):
    term = judge(POINTS, changes_of(form), 1.0)

    assert (term.matches, term.reading) == (True, reading)
    assert term.scale == pytest.approx(1)


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        (lambda m, s: -right(m, s), "its sign is turned"),
        (lambda m, s: 0.5 * (np.exp(s) - s) + 0 * m, "the squared mean is missing"),
        (lambda m, s: 0.5 * (m**2 - s), "the variance is missing"),
        (lambda m, s: 0.5 * (-(m**2) + np.exp(s) - s), "the squared mean has the wrong sign"),
        (lambda m, s: 0.5 * (m**2 + np.exp(s) + s), "the log-variance has the wrong sign"),
        (lambda m, s: 0.5 * (m**2 + 2 * np.exp(s) - s), "the variance counts 2 times"),
        (
            lambda m, s: 0.5 * (m**2 + s**2 - s),
            "it is +0.5 m^2 -0.5 s +0.5 s^2, not 0.5 m^2 + 0.5 exp(s) - 0.5 s",
        ),
    ],
)
def test_a_wrong_form_is_told_by_what_is_wrong(form, hint):
    term = judge(POINTS, changes_of(form), 1.0)

    assert (term.matches, term.hint) == (False, hint)


@pytest.mark.parametrize(
    "form",
    [
        lambda m, s: np.maximum(right(m, s), 1.0),  # free bits
        lambda m, s: np.sin(3 * m) + np.cos(5 * s),
    ],
)
def test_nothing_is_said_against_a_form_that_is_not_known(form):
    assert judge(POINTS, changes_of(form), 1.0).matches is None


def test_a_loss_that_does_not_depend_on_the_heads_has_a_weight_of_0():
    term = judge(POINTS, np.zeros(len(POINTS)), 30.0)

    assert (term.scale, term.matches, term.hint) == (0.0, None, "")
