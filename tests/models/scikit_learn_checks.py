"""Run all of scikit-learn's checks on one estimator; print their names and verdicts as JSON.

A program of its own, because SCIPY_ARRAY_API must be set before SciPy is imported: without it
one check is skipped. The compiled steps are kept in the folder given, so that equal networks
are compiled once.
"""

import json
import os
import sys

os.environ["SCIPY_ARRAY_API"] = "1"

import keras
from sklearn.utils.estimator_checks import check_estimator

import truecopy

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    estimator = getattr(truecopy, name)(epochs=2, quiet=True)
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    verdicts = [[found["check_name"], found["status"]] for found in results]
    sys.stdout.write(f"\n{json.dumps(verdicts)}\n")
