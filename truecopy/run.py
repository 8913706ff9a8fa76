"""What the command line does with models: train into a run folder, use one, stream results."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from truecopy.data.outputs import check_output, write_frames, write_rows
from truecopy.data.source import PickedSource
from truecopy.data.sources import Source
from truecopy.errors import Diverged, ModelError, OutputExists
from truecopy.facts import ReportSection
from truecopy.metrics.evaluate import Scorecard, evaluate
from truecopy.models.autoencoder import Autoencoder
from truecopy.models.inputs import name_features
from truecopy.models.opening import open_model
from truecopy.reports.html import write_page
from truecopy.training.run_folder import check_new_folder, new_folder

_RUNS = Path("runs")


def make_run(
    source: Source, settings: dict[str, Any], *, out: Path | None, resume: bool = False
) -> tuple[Path, Scorecard]:
    """Train on the rows of `source`, score on rows held out, and write a run folder.

    Args:
        source: What DATA named.
        settings: The arguments of `Autoencoder`.
        out: The folder to make; None: the next free one under `runs`.
        resume: Go on from the checkpoint that an interrupted training left beside `out`.

    Returns:
        The folder and the scorecard of the held-out rows.

    Raises:
        OutputExists: There is something at `out` already, or an interrupted training.
        Diverged: As `Autoencoder.fit`; the run folder has the last good weights.
        TruecopyError: As `Autoencoder.fit` and `evaluate` do.
    """
    folder = out or _next_folder(source.name, str(settings["model"]).removeprefix("recipe:"))
    check_new_folder(folder)
    checkpoint = place_checkpoint(folder)
    if checkpoint.exists() and not resume:
        message = (
            f"{str(checkpoint)!r} holds an interrupted training. Go on with --resume, or remove it."
        )
        raise OutputExists(message)
    autoencoder = Autoencoder(**settings)
    try:
        autoencoder.fit(source, checkpoint=checkpoint, resume=resume)
    except Diverged as error:
        with new_folder(folder) as temporary:
            autoencoder.write(temporary)
        checkpoint.unlink(missing_ok=True)
        raise Diverged(f"{error} They are in {str(folder)!r}.") from error
    card = _score_held_out(autoencoder.open(source), autoencoder)
    with new_folder(folder) as temporary:
        autoencoder.write(temporary)
        card.save(temporary / "scorecard.json")
        section = describe_run(autoencoder, card)
        write_page(temporary / "report.html", section.heading, [section])
    return folder, card


def place_checkpoint(folder: Path) -> Path:
    """Return the file beside a run folder that holds the training until it is done."""
    return folder.with_name(f"{folder.name}.checkpoint")


def describe_run(
    autoencoder: Autoencoder, card: Scorecard, *, heading: str = "", story: tuple[str, ...] = ()
) -> ReportSection:
    """Return the report section of a trained and scored autoencoder."""
    return ReportSection(
        heading=heading or f"{card.facts.model} on {autoencoder.profile_.facts.name}",
        story=story,
        data=autoencoder.profile_.facts,
        plan=autoencoder.plan_.facts,
        run=autoencoder.run_,
        evaluation=card.facts,
        examples=card.examples,
    )


def write_encoded(model: Path, source: Source, out: Path) -> dict[str, Any]:
    """Write the latents of all rows of `source`, shape (rows, latent)."""
    autoencoder, source = _open_for(model, source, out)
    columns = tuple(f"latent_{number}" for number in range(autoencoder.run_.latent))
    return _stream(out, autoencoder, source, autoencoder.encode_batch, columns)


def write_reconstructed(model: Path, source: Source, out: Path) -> dict[str, Any]:
    """Write the copies of all rows of `source`, in its units."""
    autoencoder, source = _open_for(model, source, out)
    if autoencoder.table_ is not None:
        rows = write_frames(out, autoencoder.copy_tables(source))
        return {"out": str(out), "rows": rows, "columns": list(autoencoder.table_.names)}
    columns = name_features(autoencoder, source)
    # float32 holds 24 bits: only float64 data are wider than that.
    kind = "float64" if source.dtype == "float64" else "float32"
    return _stream(
        out,
        autoencoder,
        source,
        lambda batch: autoencoder.reconstruct_batch(batch).astype(kind),
        columns,
    )


def write_scores(
    model: Path, source: Source, out: Path, *, contributions: bool = False
) -> dict[str, Any]:
    """Write the mean squared error of each row of `source`, in scaled units.

    With `contributions` also what each feature, or column of a table, adds to it.
    """
    autoencoder, source = _open_for(model, source, out)
    if not contributions:
        return _stream(out, autoencoder, source, autoencoder.error_batch, ("error",))

    def explain(batch: NDArray[Any]) -> NDArray[np.float64]:
        parts = autoencoder.contribution_batch(batch)
        return np.column_stack([parts.sum(axis=1), parts])

    columns = ("error", *name_features(autoencoder, source))
    return _stream(out, autoencoder, source, explain, columns)


def _open_for(model: Path, source: Source, out: Path) -> tuple[Autoencoder, Source]:
    check_output(out)
    opened = open_model(model)
    if not isinstance(opened, Autoencoder):
        message = (
            f"{str(model)!r} is a bare Keras model, which doesn't know its data's scaling. "
            "Give the run folder that `truecopy fit` wrote."
        )
        raise ModelError(message)
    # Refuses rows of another shape before anything is written.
    return opened, opened.open(source)


def _stream(
    out: Path,
    autoencoder: Autoencoder,
    source: Source,
    convert: Callable[[NDArray[Any]], NDArray[Any]],
    columns: tuple[str, ...],
) -> dict[str, Any]:
    """Write what `convert` makes of the rows; return what was written where."""
    rows = _count(source)
    converted = map(convert, autoencoder.batches(source))
    write_rows(out, converted, rows=rows, columns=columns)
    written = {"out": str(out), "rows": rows, "columns": list(columns)}
    return written | ({"skipped": list(source.skipped)} if source.skipped else {})


def _score_held_out(source: Source, autoencoder: Autoencoder) -> Scorecard:
    """Score rows that were not trained on: the companion test set, or the validation rows."""
    seed = autoencoder.seed
    if source.held_out is not None:
        return evaluate(autoencoder, source.held_out, seed=seed)
    validation = autoencoder.held_out_
    chosen = validation if len(validation) else np.arange(_count(source))
    picked = PickedSource(source, chosen)
    if autoencoder.table_ is not None:
        complete = ~np.isnan(picked.array()).any(axis=1)
        if complete.any():
            chosen = chosen[complete]
            picked = PickedSource(source, chosen)
    card = evaluate(autoencoder, picked, seed=seed)
    which, notes = "all rows, also those trained on", card.facts.notes
    if len(validation):
        which = f"{len(chosen):,} validation rows"
        if len(chosen) < len(validation):
            which += f" of {len(validation):,}: those without missing cells"
        note = "The validation rows chose the best epoch, so their figures flatter a little."
        notes = (*notes, note)
    facts = replace(card.facts, data=f"{source.name} ({which})", notes=notes)
    # Rows are numbered as in the source.
    shown = tuple(replace(row, row=int(chosen[row.row])) for row in card.examples.rows)
    examples = replace(card.examples, rows=shown)
    return Scorecard(facts, examples, card.details)


def _count(source: Source) -> int:
    """Return how many rows there are, if need be by a pass over them."""
    return sum(map(len, source.batches())) if source.rows is None else source.rows


def _next_folder(data: str, model: str) -> Path:
    """Return the first free folder runs/<data>-<model>[-N]."""
    stem = f"{Path(data).name.partition(':')[0]}-{model}"
    folder, number = _RUNS / stem, 1
    while folder.exists() or place_checkpoint(folder).exists():
        number += 1
        folder = _RUNS / f"{stem}-{number}"
    return folder
