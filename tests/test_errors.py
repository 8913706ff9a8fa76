import inspect

import pytest

from truecopy import errors


def test_a_bad_argument_is_worded_in_one_way():
    error = errors.InvalidArgument("latent", "Autoencoder", "an integer from 1 to 783", got=1024)

    assert str(error) == (
        "The 'latent' argument of Autoencoder must be an integer from 1 to 783. Got 1024."
    )


def test_an_unknown_name_suggests_the_nearest():
    error = errors.UnknownName("noise", "Autoencoder", ["gaussian", "masking"], got="gausian")

    assert str(error) == (
        "The 'noise' argument of Autoencoder must be one of gaussian, masking. "
        "Got 'gausian'. Did you mean 'gaussian'?"
    )


def test_a_name_like_no_other_gets_no_suggestion():
    error = errors.UnknownName("noise", "Autoencoder", ["gaussian"], got="zzz")

    assert "Did you mean" not in str(error)


@pytest.mark.parametrize(
    "kind", [c for _, c in inspect.getmembers(errors, inspect.isclass)], ids=lambda c: c.__name__
)
def test_every_error_is_a_truecopy_error_with_an_exit_code(kind):
    assert issubclass(kind, errors.TruecopyError)
    assert kind.exit_code == (3 if kind is errors.Diverged else 2)
