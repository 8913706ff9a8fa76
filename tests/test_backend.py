import json
import os
import platform
import stat
import subprocess
import sys

import pytest

from truecopy.backend import keep_compiled

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


@pytest.fixture
def no_cache(monkeypatch, tmp_path):
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"):
        monkeypatch.setenv(name, "")  # so that what is set here is undone afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_jax_compiles_is_kept_in_a_private_folder(no_cache):
    pytest.importorskip("jax")

    folder = keep_compiled()

    assert folder == no_cache / "truecopy" / "compiled"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    told = "print(jax.config.jax_compilation_cache_dir); "
    told += "print(jax.config.jax_persistent_cache_min_compile_time_secs)"
    done = subprocess.run(
        [sys.executable, "-c", f"import jax; {told}"], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(folder), "0.1"]


def test_a_folder_that_the_user_chose_stays(no_cache, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "mine")

    assert keep_compiled() is None
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == "mine"
    assert list(no_cache.iterdir()) == []


def test_without_a_place_to_keep_it_nothing_is_kept(no_cache, monkeypatch):
    (no_cache / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_cache / "file"))

    assert keep_compiled() is None
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


# What JAX 0.10 hashes of the machine into the key of a program.
MACHINE = """
import jax
from jax._src.lib import xla_client
print(xla_client.get_topology_for_devices(jax.devices()).fingerprint())
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="SSE4.2 is of no other processor")
def test_a_processor_with_other_features_has_other_programs():
    pytest.importorskip("jax")
    told = set()
    for features in ("", "--xla_cpu_max_isa=SSE4_2"):
        environment = os.environ | {"XLA_FLAGS": features}
        done = subprocess.run(
            [sys.executable, "-c", MACHINE], env=environment, check=True, capture_output=True
        )
        told.add(done.stdout)

    assert len(told) == 2
