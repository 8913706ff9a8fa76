"""How much memory fitting and scoring take of a Parquet folder, and how long.

    python benchmarks/larger_than_memory.py --gigabytes 5
    python benchmarks/larger_than_memory.py --gigabytes 5 --mixed

writes a folder of Parquet files of random numbers of low rank (with --mixed also words and
missing cells), fits one epoch from it with `truecopy fit`, scores all rows into a Parquet file
with `truecopy score`, each in a process of its own, and prints the peak memory of each as the
system counted it. Pages of memory maps count while they are mapped.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

COLUMNS = 300
WORDS = 10
RANK = 8
MISSING = 0.05
ROWS_PER_GROUP = 50_000
GROUPS_PER_FILE = 4
PLACES = np.array(["Lima", "Oslo", "Rome", "Łódź"])
# Runs the command line and says, last, how large it has been (Linux counts in KiB).
RUN = (
    "import resource, sys; from truecopy.cli import execute; code = execute(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
)


def main() -> None:
    """Write, fit, score and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="size of the folder")
    parser.add_argument("--mixed", action="store_true", help="with words and missing cells")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=told.folder) as name:
        work = Path(name)
        rows = write_folder(work / "data", told.gigabytes, mixed=told.mixed)
        size = sum(file.stat().st_size for file in (work / "data").iterdir())
        kind = "mixed" if told.mixed else "numbers"
        print(f"{kind}: {rows:,} rows of {COLUMNS} columns, {size / 1e9:.2f} GB of Parquet")
        data, run, out = str(work / "data"), str(work / "run"), str(work / "scores.parquet")
        measure("fit", ["fit", data, "--epochs", "1", "--out", run, "--quiet"])
        measure("score", ["score", run, data, "--out", out, "--quiet"])
        scores = parquet.ParquetFile(out).metadata.num_rows
        print(f"{scores:,} scores")
        shutil.rmtree(work / "data")


def write_folder(folder: Path, gigabytes: float, *, mixed: bool) -> int:
    """Write Parquet files until they hold so many bytes; return the number of rows."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(RANK, COLUMNS)).astype(np.float32)
    size = rows = number = 0
    while size < gigabytes * 1e9:
        path = folder / f"part-{number:04d}.parquet"
        writer = None
        for _ in range(GROUPS_PER_FILE):
            table = draw_table(generator, weights, mixed=mixed)
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
            rows += len(table)
        if writer is not None:
            writer.close()
        size, number = size + path.stat().st_size, number + 1
    return rows


def draw_table(generator: np.random.Generator, weights: np.ndarray, *, mixed: bool) -> pa.Table:
    """Return one row group: float32 numbers; if mixed, some as words and some missing."""
    causes = generator.normal(size=(ROWS_PER_GROUP, RANK)).astype(np.float32)
    noise = generator.normal(size=(ROWS_PER_GROUP, COLUMNS)).astype(np.float32)
    values = causes @ weights + noise
    columns = {}
    for column in range(COLUMNS):
        numbers = values[:, column]
        if mixed and column < WORDS:
            columns[f"word{column}"] = PLACES[np.digitize(numbers, [-2, 0, 2])]
        else:
            missing = generator.random(len(numbers)) < MISSING if mixed else None
            columns[f"x{column}"] = pa.array(numbers, mask=missing)
    return pa.table(columns)


def measure(what: str, arguments: list[str]) -> None:
    """Run a command of truecopy in a process of its own; print its peak memory and time."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - started
    peak = int(done.stdout.split()[-1]) * 1024
    print(f"{what}: peak memory {peak / 1e9:.2f} GB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
