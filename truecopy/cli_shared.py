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
OutFile = Annotated[Path, typer.Option(help="a .npy, .csv or .parquet file")]


def open_data(data: str | None, size: str | None) -> Any:
    """Open what DATA names, with images resized to `size` ('HxW'); None stays None."""
    from truecopy.data.sources import open_source

    if data is None:
        return None
    if size is None:
        return open_source(data)
    height, _, width = size.partition("x")
    if not height.isdecimal() or not width.isdecimal() or not int(height) * int(width):
        raise InvalidArgument("--size", "truecopy", "HEIGHTxWIDTH such as 64x48", got=size)
    return open_source(data, size=(int(height), int(width)))


def print_result(result: Any, *, as_json: bool) -> None:
    """Print a result object, as JSON or as text."""
    if as_json:
        plain = result if isinstance(result, dict) else result.to_dict()
        sys.stdout.write(json.dumps(plain, indent=2, allow_nan=False) + "\n")
    else:
        Console().print(result)
