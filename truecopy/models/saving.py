"""What a run folder holds, and how it is read back.

`model.keras`, `encoder.keras` and `decoder.keras` are plain Keras, in scaled units;
`plan.json` has the scaling, `history.csv` the curve, `run.json` how it was trained,
`baselines.npz` the mean image and the PCA that later figures are compared with.
"""

import csv
import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import keras

from truecopy.data.plan import Plan
from truecopy.errors import ModelError
from truecopy.facts import RunFacts
from truecopy.metrics.baselines import Baselines
from truecopy.models.networks import Networks


def write_run(
    folder: Path,
    networks: Networks,
    plan: Plan,
    run: RunFacts,
    baselines: Baselines,
    *,
    inputs: dict[str, Any],
) -> None:
    """Write a trained autoencoder's files into an existing folder.

    `inputs` says how a table's columns are called and which are left out.
    """
    for name in ("model", "encoder", "decoder"):
        getattr(networks, name).save(folder / f"{name}.keras")
    planned = {"plan": plan.to_dict(), "units": baselines.units.to_dict(), **inputs}
    (folder / "plan.json").write_text(json.dumps(planned, indent=2), encoding="utf-8")
    (folder / "run.json").write_text(run.to_json(), encoding="utf-8")
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["epoch", *run.history])
        table.writerows(
            [epoch, *values]
            for epoch, values in enumerate(zip(*run.history.values(), strict=True), start=1)
        )
    baselines.save(folder / "baselines.npz")


def read_run(folder: Path) -> tuple[Networks, Plan, RunFacts, Baselines, dict[str, Any]]:
    """Read what `write_run` wrote.

    Raises:
        ModelError: It is no run folder, or a file of it is missing or broken.
    """
    if not (folder / "model.keras").is_file():
        message = f"{str(folder)!r} is not a run folder: it has no model.keras."
        raise ModelError(message)
    try:
        planned = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        plan, units = Plan.from_dict(planned["plan"]), Plan.from_dict(planned["units"])
        run = _read_run_facts(folder / "run.json")
        baselines = Baselines.load(folder / "baselines.npz", units)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        message = f"The run folder {str(folder)!r} is incomplete or broken: {error}."
        raise ModelError(message) from error
    model = load_keras(folder / "model.keras")
    parts = {layer.name: layer for layer in model.layers}
    inputs = {key: value for key, value in planned.items() if key not in {"plan", "units"}}
    return Networks(model, parts["encoder"], parts["decoder"]), plan, run, baselines, inputs


def load_keras(path: Path) -> Any:
    """Load a Keras model without running code from the file.

    Raises:
        ModelError: The file is missing, broken, or holds code (such as a Lambda layer).
    """
    if not path.is_file():
        message = f"There is no model file {str(path)!r}."
        raise ModelError(message)
    if not zipfile.is_zipfile(path):
        message = f"{str(path)!r} is incomplete, or no .keras file: it can't be unpacked."
        raise ModelError(message)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras 3.15 raises anything from KeyError to h5py's own
        reason = str(error).strip().split("\n")[0]
        message = f"Keras can't load {str(path)!r} in safe mode: {reason}"
        raise ModelError(message) from error


def _read_run_facts(path: Path) -> RunFacts:
    plain = json.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(RunFacts)}
    history = {name: tuple(values) for name, values in plain.pop("history").items()}
    kept = {key: value for key, value in plain.items() if key in known}
    return RunFacts(history=history, **kept)
