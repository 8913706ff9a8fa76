"""Whole programs, healthy and faulty, audited as a user would: `truecopy audit program.py`."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from truecopy.audit import script

_ROOT = Path(__file__).parents[2]
_PROGRAMS = _ROOT / "tests" / "programs"
_MEND = Path(__file__).with_name("mend.py")
_START = f"import runpy; runpy.run_path({str(_MEND)!r}, run_name='__main__')"
# Without its fault a program learns something, if not always much: what these say of it is true,
# and nothing that the fix did.
_LEARNING = {"worse-than-pca", "relu-latent", "dead-units"}
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


@pytest.fixture
def mended(monkeypatch, tmp_path):
    """What `mend.py` wrote of a program, which the audit runs instead of proving its fixes."""
    monkeypatch.setattr(script, "_START", _START)
    out = tmp_path / "mended.json"
    monkeypatch.setenv("MEND_OUT", str(out))
    return lambda: json.loads(out.read_text(encoding="utf-8")) if out.exists() else {"rule": None}


def _check(name, mended, monkeypatch):
    """The fault is found and nothing else; its change silences it and wakes nothing."""
    case = CASES[name]
    monkeypatch.setenv("MEND_RULES", ",".join(case.expects))
    outcome = quality.audit_case(case, prove=bool(case.expects))

    assert not outcome.failure, outcome.failure
    assert outcome.alarms == ()
    if case.expects:
        assert outcome.found, outcome.findings
        _check_mended(mended(), case)


def _check_mended(report, case):
    if report["rule"] is None or "refused" in report:  # only its author can mend it
        return
    after = {f["name"]: f for f in report["after"]}
    assert report["rule"] not in after, (report["change"], after[report["rule"]])
    before = {name for f in report["before"] for name in (f["name"], *f["echoes"])}
    woken = {name for name, f in after.items() if f["severity"] != "note"}
    woken -= before | _LEARNING | {*case.expects, *case.allowed}
    assert woken == set(), (report["change"], [after[name]["message"] for name in woken])


@pytest.mark.slow
@pytest.mark.parametrize("name", _SAMPLE)
def test_of_some_of_every_kind_the_fault_is_found_and_its_fix_mends_it(name, mended, monkeypatch):
    _check(name, mended, monkeypatch)


@pytest.mark.corpus
@pytest.mark.parametrize("name", sorted(set(CASES) - set(_SAMPLE)))
def test_of_every_program_the_fault_is_found_and_its_fix_mends_it(name, mended, monkeypatch):
    _check(name, mended, monkeypatch)
