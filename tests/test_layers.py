"""The structure holds: imports point down, files and functions stay small, names are public."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import truecopy

PACKAGE = Path(truecopy.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# From the bottom up: a module imports from its own line or from lines above it only.
LAYERS = [
    ["truecopy.backend", "truecopy.errors"],
    ["truecopy.facts", "truecopy.streaming"],
    ["truecopy.outlier_facts"],
    ["truecopy.reports.wording"],
    ["truecopy.rules"],
    ["truecopy.reports"],
    ["truecopy.data"],
    ["truecopy.models"],
    ["truecopy.metrics"],
    ["truecopy.training"],
    ["truecopy.models.saving", "truecopy.models.settings"],
    ["truecopy.models.batchwise", "truecopy.models.fitting", "truecopy.models.pickling"],
    ["truecopy.models.autoencoder"],
    ["truecopy.models.opening"],
    ["truecopy.models.outliers"],
    ["truecopy.models.pyod"],
    ["truecopy.metrics.evaluate"],
    ["truecopy.metrics.compare"],
    ["truecopy.audit"],
    ["truecopy.callbacks"],
    ["truecopy.run", "truecopy.explain"],
    ["truecopy.demo"],
    ["truecopy.cli_shared"],
    ["truecopy.cli_audit"],
    ["truecopy.cli", "truecopy.__main__"],
]
NO_KERAS = [
    "truecopy.facts",
    "truecopy.outlier_facts",
    "truecopy.streaming",
    "truecopy.errors",
    "truecopy.data",
    "truecopy.rules",
    "truecopy.reports",
    "truecopy.cli",
    "truecopy.cli_shared",
    "truecopy.cli_audit",
]


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module):
    ranks = [
        (len(prefix), rank)
        for rank, prefixes in enumerate(LAYERS)
        for prefix in prefixes
        if module == prefix or module.startswith(prefix + ".")
    ]
    return max(ranks)[1] if ranks else None


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path):
    own = layer_of(name_of(path))
    if own is None:  # a package's __init__ holds a docstring or lazy names only
        return
    ours = [module for module in imports_of(path) if module.startswith("truecopy.")]

    assert all(layer_of(module) is not None for module in ours), f"no layer for one of {ours}"
    assert [module for module in ours if layer_of(module) > own] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_has_a_layer(path):
    assert path.name == "__init__.py" or layer_of(name_of(path)) is not None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_facts_data_and_reports_know_no_keras(path):
    if not name_of(path).startswith(tuple(NO_KERAS)):
        return

    assert not {"keras", "jax"} & {module.partition(".")[0] for module in imports_of(path)}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_imports_tensorflow_torch_or_pickle(path):
    banned = {"tensorflow", "torch", "pickle", "joblib", "dill"}

    assert not banned & {module.partition(".")[0] for module in imports_of(path)}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_stay_under_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_function_bodies_stay_under_40_lines(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                lines = body[-1].end_lineno - body[0].lineno + 1
                assert lines < 40, f"{node.name} has a body of {lines} lines"


def test_public_names_are_sorted_and_exist():
    assert truecopy.__all__ == sorted(truecopy.__all__)
    for name in truecopy.__all__:
        assert getattr(truecopy, name) is not None
        assert name in dir(truecopy)


def test_the_keras_metrics_are_public():
    import truecopy.metrics

    for name in truecopy.metrics.__all__:
        assert getattr(truecopy.metrics, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = truecopy.metrics.nonsense


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'truecopy' has no attribute 'nonsense'"):
        _ = truecopy.nonsense


@pytest.mark.parametrize(
    "statement",
    [
        "import truecopy",
        "from truecopy.cli import execute; execute(['--help'])",
        "from truecopy.cli import execute; execute(['fit', '--help'])",
    ],
)
def test_import_and_help_load_neither_keras_nor_jax(statement):
    check = "; import sys; print(sorted({'keras', 'jax', 'numpy', 'sklearn'} & set(sys.modules)))"

    shown = subprocess.run(
        [sys.executable, "-c", statement + check], capture_output=True, text=True, check=True
    )

    assert shown.stdout.splitlines()[-1] == "[]"
