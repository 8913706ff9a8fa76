"""Opens whatever holds rows: arrays, lists, tables, iterables, files, folders and words.

`open_source` looks at what was given and chooses the `Source` that reads it. What a `Source`
is stands in `source`; the readers are in `arrays`, `tables`, `images` and `iterables`.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from truecopy.data.arrays import open_npy, open_npz
from truecopy.data.datasets import load_digits, load_mnist
from truecopy.data.files import reading
from truecopy.data.hugging_face import DatasetSource, is_dataset
from truecopy.data.images import ImageFolder
from truecopy.data.iterables import IterableSource
from truecopy.data.parquet import ParquetSource, find_parquet
from truecopy.data.source import ArraySource, Source, to_array
from truecopy.data.tables import CsvSource, open_frame
from truecopy.errors import (
    DataNotFound,
    InvalidArgument,
    UnknownName,
    UnsafeData,
    UnsupportedData,
    suggest,
)

__all__ = ["ArraySource", "IterableSource", "Source", "open_source"]

WORDS = ("mnist", "mnist:test", "digits")
KINDS = [
    *WORDS,
    "a .npy, .npz[:key], .csv or .parquet file",
    "a folder of .parquet files or of images",
]
PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth"}


def open_source(
    data: Any,
    *,
    size: tuple[int, int] | None = None,
    on_bad: str = "error",
    owner: str = "truecopy",
) -> Source:
    """Open whatever holds rows.

    Args:
        data: An array or memory map (first axis = rows), a list, a table of pandas, polars
            or Arrow, an iterable of batches, a data set of Hugging Face's, a path (.npy,
            .npz[:key], .csv, .parquet, a folder of .parquet files or of images), one of the words
            mnist, mnist:test and digits, or a Source. A file or folder that has the name of a
            word is written ./mnist.
        size: (height, width) to which the images of a folder are resized.
        on_bad: What becomes of files of a folder of images that can't be taken: 'error', which
            names them, or 'skip', which lists them in the source's `skipped`.
        owner: Who asks, for error messages.

    Returns:
        The rows as a `Source`.

    Raises:
        DataError: The data are missing, empty, ragged, broken, unsafe or of no known kind.
        InvalidArgument: `data` is an unknown word, or `size` is not for these data.
        MissingPackage: A .parquet file is given and pyarrow is not installed.

    Example:
        >>> source = open_source([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
        >>> [batch.shape for batch in source.batches(2)]
        [(2, 2), (1, 2)]
    """
    typed = isinstance(data, str | os.PathLike) and data not in WORDS
    path = os.fsdecode(data) if typed else None
    # os.path.isdir, unlike Path.is_dir, takes any name without complaint.
    if path is not None and os.path.isdir(path):  # noqa: PTH112
        if size is None and find_parquet(path):
            return ParquetSource(path)
        return ImageFolder(path, size=size, on_bad=on_bad, owner=owner)
    if size is not None:
        raise InvalidArgument("size", owner, "given for a folder of images only", got=size)
    if path is not None:
        return _open_file(path, owner=owner)
    if isinstance(data, str):
        return _open_word(data)
    return data if isinstance(data, Source) else _open_object(data, owner)


def _open_file(path: str, *, owner: str) -> Source:
    """Open a file by its extension; `file.npz:key` names one array of an archive."""
    file, key = path, ""
    # os.path.exists, unlike Path.exists, is False for a name that the system can't take.
    if not os.path.exists(path) and ".npz:" in path:  # noqa: PTH110
        stem, _, key = path.rpartition(".npz:")
        file = f"{stem}.npz"
    if not os.path.exists(file):  # noqa: PTH110
        raise _say_missing(file, owner)
    suffix = Path(file).suffix.lower()
    if not Path(file).is_file():
        raise UnsupportedData(f"{file!r} is neither a regular file nor a folder.")
    if suffix in PICKLES:
        raise UnsafeData(f"{file!r} is a pickle: loading one can run any code. Save it as .npy.")
    openers: dict[str, Callable[[str], Source]] = {
        ".npy": open_npy,
        ".npz": lambda file: open_npz(file, key=key),
        ".csv": CsvSource,
        ".parquet": ParquetSource,
    }
    if suffix not in openers:
        raise UnsupportedData(
            f"{file!r} has the extension {suffix!r}. Give a .npy, .npz, .csv or .parquet file, "
            "or a folder of .parquet files or of images."
        )
    with reading(file):
        return openers[suffix](file)


def _say_missing(file: str, owner: str) -> Exception:
    """Word the error for a file that isn't there, with the nearest name that is."""
    path = Path(file)
    if path.name == file and not path.suffix:
        return UnknownName("data", owner, KINDS, got=file)
    try:
        hint = suggest(path.name, [entry.name for entry in path.parent.iterdir()])
    except (OSError, ValueError):
        hint = f" Its folder {str(path.parent)!r} does not exist or can't be read."
    return DataNotFound(f"There is no file or folder {file!r}.{hint}")


def _open_word(word: str) -> Source:
    """Open a data set that needs no download."""
    if word == "digits":
        return ArraySource(*load_digits(), name=word)
    if word == "mnist":
        return ArraySource(*load_mnist("train"), name=word, held_out="mnist:test")
    return ArraySource(*load_mnist("test"), name=word)


def _open_object(data: Any, owner: str) -> Source:
    """Open anything that lives in memory."""
    if np.ma.is_masked(data):
        raise UnsupportedData("The array has masked values. Fill them, say by .filled(np.nan).")
    if hasattr(data, "toarray"):
        raise UnsupportedData("The array is sparse. Give its dense form: data.toarray().")
    if is_dataset(data):
        return DatasetSource(data)
    if not isinstance(data, np.ndarray | list | tuple):
        table = open_frame(data)
        if table is not None:
            return table
    if isinstance(data, list | tuple) or hasattr(data, "__array__"):
        return ArraySource(to_array(data, "The data"))
    if isinstance(data, Iterable) and not isinstance(data, Mapping | set | bytes | bytearray):
        return IterableSource(data)
    must_be = f"an array, a table, an iterable of batches, {', '.join(KINDS)}"
    raise InvalidArgument("data", owner, must_be, got=type(data).__name__)
