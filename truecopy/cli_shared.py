"""What the commands have in common: their options, opening DATA, printing a result."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from truecopy.errors import InvalidArgument

DATA_WORDS = (
    "mnist, mnist:test, digits, a .npy, .npz[:key], .csv or .parquet file, or a folder of .parquet "
    "files or of images"
)
Data = Annotated[str, typer.Argument(help=DATA_WORDS)]
Model = Annotated[Path, typer.Argument(help="a run folder, or a .keras file")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Quiet = Annotated[bool, typer.Option("--quiet", help="no progress, no messages")]
NoiseOption = Annotated[
    str | None,
    typer.Option(help="gaussian:SD, gaussian:MEAN,SD, salt-pepper:RATE or masking:RATE"),
]
Seed = Annotated[int, typer.Option(help="draws weights, order, split and noise")]
Size = Annotated[
    str | None, typer.Option(metavar="HxW", help="resize the images of a folder, e.g. 64x48")
]
OnBad = Annotated[
    str,
    typer.Option(
        metavar="error|skip", help="files of a folder of images that can't be taken: name or skip"
    ),
]
OutFile = Annotated[Path, typer.Option(help="a .npy, .csv or .parquet file")]


def open_data(data: str | None, size: str | None, on_bad: str = "error") -> Any:
    """Open what DATA names, with images resized to `size` ('HxW'); None stays None.

    Files that are skipped are told on standard error.
    """
    from truecopy.data.sources import open_source

    if data is None:
        return None
    source = open_source(data, size=_read_size(size), on_bad=on_bad)
    if source.skipped:
        from truecopy.data.images import word_skipped

        told = word_skipped(source.skipped, len(source.skipped) + (source.rows or 0))
        typer.echo(f"truecopy: {data!r}: {told}\nThey are skipped.", err=True)
    return source


def _read_size(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    height, _, width = size.partition("x")
    if not height.isdecimal() or not width.isdecimal() or not int(height) * int(width):
        raise InvalidArgument("--size", "truecopy", "HEIGHTxWIDTH such as 64x48", got=size)
    return int(height), int(width)


def print_result(result: Any, *, as_json: bool) -> None:
    """Print a result object, as JSON or as text."""
    if as_json:
        plain = result if isinstance(result, dict) else result.to_dict()
        sys.stdout.write(json.dumps(plain, indent=2, allow_nan=False) + "\n")
    else:
        Console().print(result)
