"""Tables against scikit-learn: filling in missing cells, and finding outliers.

Run: python benchmarks/tables.py [SEEDS]. Everything is drawn or ships with scikit-learn.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (makes the next line work)
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.metrics import roc_auc_score

import truecopy

_MISSING = 0.2


def impute(seed: int) -> Iterator[tuple[str, float, float]]:
    """Give error (in standard deviations) and CPU seconds of each way to fill in 20 %."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(2000, 3)) @ generator.normal(size=(3, 12))
    rows += 0.1 * generator.normal(size=rows.shape)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    missing = generator.uniform(size=rows.shape) < _MISSING
    frame = pd.DataFrame(np.where(missing, np.nan, rows)).add_prefix("c")
    settings = {"latent": 3, "epochs": 60, "patience": 60, "learning_rate": 0.005, "quiet": True}
    model = truecopy.Autoencoder(**settings, seed=seed)
    ways = {
        "column means": SimpleImputer().fit_transform,
        "IterativeImputer": IterativeImputer(random_state=seed).fit_transform,
        "truecopy": lambda x: model.fit(x).reconstruct(x, only_missing=True),
    }
    for name, fill in ways.items():
        started = time.process_time()
        error = np.sqrt(np.square(np.asarray(fill(frame)) - rows)[missing].mean())
        yield name, error, time.process_time() - started


def detect(seed: int) -> Iterator[tuple[str, str, float]]:
    """Give the AUROC of each detector, fitted without labels, on each labelled set."""
    sets = {"breast cancer": (load_breast_cancer, 0), "wine": (load_wine, 2)}
    sets["digits"] = (load_digits, 9)
    for name, (load, rare) in sets.items():
        rows, labels = load(return_X_y=True)
        # One class is thinned out to a tenth of the rest: these are the outliers.
        generator = np.random.default_rng(seed)
        ordinary = np.flatnonzero(labels != rare)
        few = generator.permutation(np.flatnonzero(labels == rare))[: len(ordinary) // 10]
        chosen = np.concatenate([ordinary, few])
        rows, odd = rows[chosen], labels[chosen] == rare
        ours = truecopy.OutlierDetector(contamination=0.1, quiet=True, seed=seed).fit(rows)
        forest = IsolationForest(random_state=seed).fit(rows)
        for detector in (ours, forest):
            area = roc_auc_score(odd, -detector.score_samples(rows))
            yield name, type(detector).__name__, area


if __name__ == "__main__":
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        for way, error, seconds in impute(number):
            print(f"seed {number}  imputation     {way:18} error {error:.3f}  {seconds:.1f} CPU s")
        for data, way, area in detect(number):
            print(f"seed {number}  {data:14} {way:18} AUROC {area:.3f}")
