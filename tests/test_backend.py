import json
import os
import subprocess
import sys

import pytest

SHOW = "import truecopy, os; print(os.environ['KERAS_BACKEND'])"


def chosen(home, *, variable=None):
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    environment["KERAS_HOME"] = str(home)
    if variable:
        environment["KERAS_BACKEND"] = variable
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()


def test_jax_is_the_default(tmp_path):
    assert chosen(tmp_path) == "jax"


def test_the_environment_variable_is_kept(tmp_path):
    assert chosen(tmp_path, variable="torch") == "torch"


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"backend": "jax"}),
        json.dumps({"backend": "no-such-backend"}),
        json.dumps([]),
        "{broken",
    ],
)
def test_keras_json_counts_only_when_it_names_an_installed_backend(tmp_path, content):
    (tmp_path / "keras.json").write_text(content)

    assert chosen(tmp_path) == "jax"


def test_an_installed_backend_in_keras_json_is_kept(tmp_path, monkeypatch):
    from truecopy import backend

    (tmp_path / "keras.json").write_text(json.dumps({"backend": "torch"}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(backend, "find_spec", lambda package: package == "torch")

    assert backend._configured_backend() == "torch"  # noqa: SLF001 (torch need not be installed)


def test_an_imported_keras_keeps_its_backend(monkeypatch):
    import keras  # noqa: F401

    from truecopy.backend import choose_backend

    monkeypatch.setenv("KERAS_BACKEND", "something")

    assert choose_backend() is None
    assert os.environ["KERAS_BACKEND"] == "something"
