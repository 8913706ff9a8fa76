#!/bin/sh
# The tests that don't depend on JAX, on TensorFlow and on PyTorch, in an environment of their own:
# with either installed, Keras and JAX would behave differently in the main one.
set -eu
python=${1:-python3}
venv=.venv/backends
if [ ! -e "$venv/.installed" ]; then
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --upgrade pip
    "$venv/bin/python" -m pip install --quiet -e '.[dev,backends]'
    touch "$venv/.installed"
fi
# What the audit asks of a backend; the rest of it is rules, files and processes.
audit=
for part in trace preserve output structure behaviour feeding losses contract variational change \
    callback; do
    audit="$audit tests/audit/test_$part.py"
done
for backend in tensorflow torch; do
    echo "backend: $backend"
    KERAS_BACKEND=$backend "$venv/bin/python" -m pytest -q -n 2 -p no:cacheprovider \
        tests/models tests/metrics tests/training/test_fit.py tests/training/test_divergence.py \
        tests/test_cli.py $audit
done
