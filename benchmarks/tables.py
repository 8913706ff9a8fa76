"""Tables against scikit-learn and PyOD: copies, missing cells, outliers.

Run: python benchmarks/tables.py [SEEDS]. Everything is drawn or ships with scikit-learn. PyOD's
detectors (pip install pyod torch tqdm) are compared where it is installed.
"""

import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 (makes the next line work)
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

import truecopy

_MISSING = 0.2
_COPIED = {
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
    "diabetes": load_diabetes,
}
# Each of these classes in turn is rare; of breast cancer only the malignant one.
_LABELLED = {
    "breast cancer": (load_breast_cancer, (0,)),
    "wine": (load_wine, (0, 1, 2)),
    "iris": (load_iris, (0, 1, 2)),
    "digits": (load_digits, tuple(range(10))),
}
Result = tuple[str, str, float]
CONFIDENCE = 0.95


def copy(seed: int) -> Iterator[Result]:
    """Give the skill on held-out quarters, ours and that of PCA of the same width."""
    tables: dict[str, Any] = {name: load(return_X_y=True)[0] for name, load in _COPIED.items()}
    tables["mixed (drawn)"] = draw_mixed(seed)
    for name, rows in tables.items():
        training, held_out = train_test_split(rows, test_size=0.25, random_state=seed)
        model = truecopy.Autoencoder(quiet=True, seed=seed).fit(training)
        card = truecopy.evaluate(model, held_out)
        scores = card.facts.scores["mse"]
        mean, pca = scores.baselines["mean"], scores.baselines["pca"]
        yield name, "truecopy", 1 - scores.value / mean
        yield name, "PCA", 1 - pca / mean


def draw_mixed(seed: int) -> pd.DataFrame:
    """Return 600 rows of numbers, a flag and a category that two hidden causes move."""
    generator = np.random.default_rng(seed)
    causes = generator.normal(size=(600, 2))
    numbers = np.tanh(causes @ generator.normal(size=(2, 6)))
    frame = pd.DataFrame(numbers + 0.1 * generator.normal(size=numbers.shape)).add_prefix("x")
    frame["flag"] = causes[:, 0] > 0
    frame["city"] = np.array(["Lima", "Oslo", "Rome"])[np.digitize(causes[:, 1], [-0.5, 0.5])]
    return frame


def impute(seed: int) -> Iterator[Result]:
    """Give error (in standard deviations) and CPU seconds of each way to fill in 20 %."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(2000, 3)) @ generator.normal(size=(3, 12))
    rows += 0.1 * generator.normal(size=rows.shape)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    missing = generator.uniform(size=rows.shape) < _MISSING
    frame = pd.DataFrame(np.where(missing, np.nan, rows)).add_prefix("c")
    model = truecopy.Autoencoder(quiet=True, seed=seed)
    ways = {
        "column means": SimpleImputer().fit_transform,
        "IterativeImputer": IterativeImputer(random_state=seed).fit_transform,
        "truecopy": lambda x: model.fit(x).reconstruct(x, only_missing=True),
    }
    for name, fill in ways.items():
        started = time.process_time()
        error = np.sqrt(np.square(np.asarray(fill(frame)) - rows)[missing].mean())
        yield "error", name, error
        yield "CPU seconds", name, time.process_time() - started


def detect(seed: int) -> Iterator[Result]:
    """Give the AUROC of each detector, fitted without labels, the mean over the rare classes."""
    for name, (load, rares) in _LABELLED.items():
        for rare in rares:
            rows, labels = load(return_X_y=True)
            # One class is thinned out to a tenth of the rest: these are the outliers.
            generator = np.random.default_rng(seed)
            ordinary = np.flatnonzero(labels != rare)
            few = generator.permutation(np.flatnonzero(labels == rare))[: len(ordinary) // 10]
            chosen = np.concatenate([ordinary, few])
            rows, odd = rows[chosen], labels[chosen] == rare
            for way, scores in rate(rows, seed).items():
                yield name, way, float(roc_auc_score(odd, scores))


def rate(rows: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return how odd each detector finds each of the rows that it is fitted to."""
    ours = truecopy.OutlierDetector(contamination=0.1, quiet=True, seed=seed).fit(rows)
    found = {
        "truecopy": -ours.score_samples(rows),
        "its error alone": -ours.autoencoder_.score_samples(rows),
        "IsolationForest": -IsolationForest(random_state=seed).fit(rows).score_samples(rows),
    }
    if find_spec("pyod") is None:
        return found
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.pca import PCA

    for way, peer in (
        ("PyOD AutoEncoder", AutoEncoder(random_state=seed, verbose=0)),
        ("PyOD PCA", PCA(random_state=seed)),
    ):
        # PyOD 3.6.7's PCA divides by the variance of directions that have none (digits).
        found[way] = np.nan_to_num(peer.fit(rows).decision_scores_)
    return found


def show(title: str, results: list[list[Result]], *, against: str, average: bool = True) -> None:
    """Print a table as Markdown: one row per way, one column per data set, and their average.

    With several seeds each figure has its confidence interval over the seeds (Student's t); the
    last row is the difference between truecopy and `against`, taken seed by seed.
    """
    rows = [(seed, *found) for seed, founds in enumerate(results) for found in founds]
    table = pd.DataFrame(rows, columns=["seed", "data", "way", "value"])
    # Of several rare classes the mean is one figure of its data set and seed.
    figures = table.pivot_table(index=["way", "seed"], columns="data", values="value", sort=False)
    if average:
        figures["mean"] = figures.mean(axis=1)
    print(f"\n{title}\n")
    print(f"| | {' | '.join(figures.columns)} |\n|---{'|---:' * figures.shape[1]}|")
    for way, of_seeds in figures.groupby(level="way", sort=False):
        print(f"| {way} | {' | '.join(say(of_seeds[name]) for name in figures)} |")
    lead = figures.loc["truecopy"] - figures.loc[against]
    print(f"| truecopy - {against} | {' | '.join(say(lead[name]) for name in lead)} |", flush=True)


def say(of_seeds: pd.Series) -> str:
    """Return the mean over the seeds and the half width of its interval."""
    if len(of_seeds) == 1:
        return f"{of_seeds.mean():.3f}"
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(of_seeds) - 1) * stats.sem(of_seeds)
    return f"{of_seeds.mean():.3f} ± {half:.3f}"


if __name__ == "__main__":
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    show("Skill", [list(copy(seed)) for seed in seeds], against="PCA")
    filled = [list(impute(seed)) for seed in seeds]
    show("Imputation", filled, against="IterativeImputer", average=False)
    show("AUROC", [list(detect(seed)) for seed in seeds], against="IsolationForest")
