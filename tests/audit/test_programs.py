"""Whole programs, healthy and faulty, audited as a user would: `truecopy audit program.py`."""

import importlib.util
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PROGRAMS = _ROOT / "tests" / "programs"
# What `make test-all` adds: both questions, and some of every kind. `make corpus` runs them all.
_SAMPLE = (
    "questions/softmax_raw_pixels",
    "healthy/table_standardised_linear",
    "healthy/counts_poisson_exponential",
    "healthy/few_epochs",
    "healthy/gelu_silu_elu",
    "healthy/keras_io_vae_compute_loss",
    "buggy/target-outside-output-range-tanh-standardised",
    "buggy/target-not-input-shuffled",
    "buggy/categorical-loss-on-vectors-multi-hot",
    "buggy/kl-formula-no-mean-term",
    "buggy/kl-scale-mismatch-compute-loss",
    "buggy/learning-rate-out-of-range-adadelta",
    "buggy/logits-mismatch-conv-linear",
)


def _load_quality():
    """Return benchmarks/audit_quality.py, where the programs' head comments are read."""
    path = _ROOT / "benchmarks" / "audit_quality.py"
    specification = importlib.util.spec_from_file_location("audit_quality", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


quality = _load_quality()
CASES = {case.name: case for case in quality.read_cases(_PROGRAMS)}


@pytest.fixture(scope="module", autouse=True)
def mnist_npz(tmp_path_factory):
    """The programs read MNIST from a file: the embedded one, written as an npz."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MNIST_NPZ", raising=False)
        quality.provide_mnist(tmp_path_factory.getbasetemp())
        yield


def _check(name):
    outcome = quality.audit_case(CASES[name])

    assert not outcome.failure, outcome.failure
    assert outcome.alarms == ()
    if outcome.case.expects:
        assert outcome.found, outcome.findings


@pytest.mark.slow
@pytest.mark.parametrize("name", _SAMPLE)
def test_the_audit_of_some_of_every_kind_finds_the_fault_and_nothing_else(name):
    _check(name)


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(set(CASES) - set(_SAMPLE)))
def test_the_audit_of_every_program_finds_its_fault_and_nothing_else(name):
    _check(name)


def test_every_program_says_what_is_meant():
    rules = set(_rules())
    faults = {name: case for name, case in CASES.items() if not name.startswith("healthy/")}

    assert all(case.expects for case in faults.values())
    assert not any(case.expects for name, case in CASES.items() if name not in faults)
    for case in CASES.values():
        assert {*case.expects, *case.forbidden, *case.allowed} <= rules, case.name


def _rules():
    from truecopy.rules.engine import all_rules

    return all_rules()
