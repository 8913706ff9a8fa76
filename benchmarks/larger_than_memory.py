"""How much memory fitting and scoring take of data on disk, and how long.

    python benchmarks/larger_than_memory.py --gigabytes 5
    python benchmarks/larger_than_memory.py --gigabytes 5 --mixed
    python benchmarks/larger_than_memory.py --gigabytes 8 --array

writes a folder of Parquet files of random numbers of low rank (with --mixed also words and
missing cells; with --array one .npy file), fits one epoch from it with `truecopy fit`, scores all
rows into a Parquet file with `truecopy score` (an array: `truecopy evaluate`), each in a process
of its own, and prints the peak memory of each as the system counted it. Pages of memory maps count
while they are mapped.
"""

import argparse
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
    parser.add_argument("--array", action="store_true", help="one .npy file")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=told.folder) as name:
        work = Path(name)
        if told.array:
            measure_array(work, told.gigabytes)
        else:
            measure_folder(work, told.gigabytes, mixed=told.mixed)


def measure_array(work: Path, gigabytes: float) -> None:
    """Fit and evaluate one array on disk."""
    data, run = work / "data.npy", str(work / "run")
    rows = int(gigabytes * 1e9 / (8 * COLUMNS * ROWS_PER_GROUP)) * ROWS_PER_GROUP
    write_array(data, rows)
    print(f"array: {rows:,} rows of {COLUMNS} values, {data.stat().st_size / 1e9:.2f} GB")
    measure("fit", ["fit", str(data), "--epochs", "1", "--out", run, "--quiet"])
    measure("evaluate", ["evaluate", run, str(data), "--quiet"])


def measure_folder(work: Path, gigabytes: float, *, mixed: bool) -> None:
    """Fit and score a folder of Parquet files."""
    rows = write_folder(work / "data", gigabytes, mixed=mixed)
    size = sum(file.stat().st_size for file in (work / "data").iterdir())
    kind = "mixed" if mixed else "numbers"
    print(f"{kind}: {rows:,} rows of {COLUMNS} columns, {size / 1e9:.2f} GB of Parquet")
    data, run, out = str(work / "data"), str(work / "run"), str(work / "scores.parquet")
    measure("fit", ["fit", data, "--epochs", "1", "--out", run, "--quiet"])
    measure("score", ["score", run, data, "--out", out, "--quiet"])
    scores = parquet.ParquetFile(out).metadata.num_rows
    print(f"{scores:,} scores")


def write_array(path: Path, rows: int) -> None:
    """Write numbers of low rank, float64 as NumPy has them by default, group by group."""
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(RANK, COLUMNS)).astype(np.float32)
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (rows, COLUMNS)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(rows // ROWS_PER_GROUP):
            file.write(draw_values(generator, weights).astype("<f8"))


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
    values = draw_values(generator, weights)
    columns = {}
    for column in range(COLUMNS):
        numbers = values[:, column]
        if mixed and column < WORDS:
            columns[f"word{column}"] = PLACES[np.digitize(numbers, [-2, 0, 2])]
        else:
            missing = generator.random(len(numbers)) < MISSING if mixed else None
            columns[f"x{column}"] = pa.array(numbers, mask=missing)
    return pa.table(columns)


def draw_values(generator: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Return a group's numbers, float32: their causes times the weights, and noise."""
    causes = generator.normal(size=(ROWS_PER_GROUP, RANK)).astype(np.float32)
    noise = generator.normal(size=(ROWS_PER_GROUP, COLUMNS)).astype(np.float32)
    return causes @ weights + noise


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
