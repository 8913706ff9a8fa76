"""A folder of images as rows (height, width, channels) of bytes.

Every file is decoded once when the folder is opened, so that one error names all broken
files before work begins (or, where asked, skips them); after that, images are decoded batch by
batch and not kept.

What becomes of a picture (its content decides what it is, not its file name):

- Grey pictures give 1 channel, colour 3. A palette of greys is grey. A folder that mixes
  both becomes colour.
- Transparent pixels are laid over white.
- Of 16 bits the upper 8 are kept. 32-bit and floating-point pixels are refused.
- CMYK and other colour spaces are converted by Pillow's plain formulas, without profiles.
- A camera's EXIF orientation is applied.
- Animations and multi-page files are refused: which frame is meant is not known.
- More than 50 megapixels are refused before decoding, and so is EPS, which is a program.

Files are taken folder by folder in the order of their names, with all subfolders; names
that start with a dot, Thumbs.db and desktop.ini are passed over. If all files are in two or
more subfolders, these are the classes: `labels` counts them in the order of `classes`.
"""

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from truecopy.data.source import Source
from truecopy.errors import BrokenData, EmptyData, InvalidArgument, UnknownName

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MAXIMUM_PIXELS = 50_000_000
PASSED_OVER = ("thumbs.db", "desktop.ini")
ON_BAD = ("error", "skip")
# As many verdicts as fit on a screen.
SHOWN = 10

_NO_IMAGE = f"is not an image ({', '.join(FORMATS)})"
_TOO_LARGE = f"has more than {MAXIMUM_PIXELS // 10**6} megapixels"


class _Refused(BrokenData):
    """A file is not taken; says why."""


@dataclass(frozen=True)
class _Verdict:
    """What is known of a file: its (height, width) and colour, or why it is refused."""

    path: Path
    size: tuple[int, int] = (0, 0)
    grey: bool = True
    refused: str = ""


@final
class ImageFolder(Source):
    """The images in a folder and its subfolders, decoded batch by batch.

    Attributes:
        classes: The names of the classes that `labels` counts; empty where there are none.
        skipped: A verdict on each file that can't be taken, where these are skipped.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self, folder: str, *, size: tuple[int, int] | None, on_bad: str, owner: str
    ) -> None:
        self.name = folder
        self._size = _check_size(size, owner)
        if on_bad not in ON_BAD:
            raise UnknownName("on_bad", owner, list(ON_BAD), got=str(on_bad))
        judged = [_judge(path) for path in _walk(Path(folder), ())]
        verdicts = self._judge_sizes(judged)
        taken = [verdict for verdict in verdicts if not verdict.refused]
        other_sizes = [new for old, new in zip(judged, verdicts, strict=True) if new is not old]
        refused = [*(verdict for verdict in judged if verdict.refused), *other_sizes]
        self.skipped = tuple(f"{str(verdict.path)!r} {verdict.refused}" for verdict in refused)
        if on_bad == "error" or not taken:
            self._refuse(verdicts)
        verdicts = taken
        self._paths = [verdict.path for verdict in verdicts]
        self._grey = all(verdict.grey for verdict in verdicts)
        self.shape = (*(self._size or verdicts[0].size), 1 if self._grey else 3)
        self.rows = len(verdicts)
        self.classes, self.labels = self._find_classes()

    def chunks(self, size: int) -> Iterator[NDArray[Any]]:
        """Decode the images in pieces of `size`."""
        for start in range(0, len(self._paths), size):
            paths = self._paths[start : start + size]
            rows = np.empty((len(paths), *self.shape), np.uint8)
            for row, path in zip(rows, paths, strict=True):
                row[...] = self._decode(path)
            yield rows

    def _decode(self, path: Path) -> NDArray[Any]:
        """Decode one image into the shape of a row."""
        try:
            image = _open_image(path)
        except _Refused as reason:
            raise BrokenData(f"{str(path)!r} has changed: {reason}.") from reason
        if not self._grey:
            image = image.convert("RGB")
        if self._size:
            from PIL.Image import Resampling

            # Bilinear never leaves the range of the pixels, as sharper filters do.
            image = image.resize(self._size[::-1], Resampling.BILINEAR)
        pixels = np.asarray(image)
        if pixels.size != np.prod(self.shape):
            raise BrokenData(f"{str(path)!r} has changed: its pixels are now {pixels.shape}.")
        return pixels.reshape(self.shape)

    def _judge_sizes(self, verdicts: list[_Verdict]) -> list[_Verdict]:
        """Return the verdicts with images of another size than most refused, unless resized."""
        sizes = Counter(verdict.size for verdict in verdicts if not verdict.refused)
        if self._size or not sizes:
            return verdicts
        (height, width), _ = sizes.most_common(1)[0]
        other = f"not {height} x {width} like most"
        fitting = [v.refused or v.size == (height, width) for v in verdicts]
        return [
            v if fits else replace(v, refused=f"is {v.size[0]} x {v.size[1]}, {other}")
            for v, fits in zip(verdicts, fitting, strict=True)
        ]

    def _refuse(self, verdicts: list[_Verdict]) -> None:
        """Raise one error with the verdicts on all files that can't be taken."""
        if all(verdict.refused == _NO_IMAGE for verdict in verdicts):
            raise EmptyData(f"There are no images ({', '.join(FORMATS)}) in {self.name!r}.")
        if self.skipped:
            raise BrokenData(
                f"{self.name!r}: {word_skipped(self.skipped, len(verdicts))}\n"
                "Move them away, or skip them with on_bad='skip' or --on-bad skip; other sizes can "
                "be resized with size=(height, width) or --size HxW."
            )

    def _find_classes(self) -> tuple[tuple[str, ...], NDArray[Any] | None]:
        """Take subfolders as classes, if all images are in two or more of them."""
        places = [path.relative_to(self.name).parts for path in self._paths]
        names = sorted({parts[0] for parts in places})
        if len(names) == 1 or any(len(parts) == 1 for parts in places):
            return (), None
        numbers = {name: number for number, name in enumerate(names)}
        return tuple(names), np.array([numbers[parts[0]] for parts in places])


def word_skipped(skipped: tuple[str, ...], files: int) -> str:
    """Return how many of the files of a folder can't be taken, and the first verdicts."""
    lines = "\n".join(f"  {verdict}" for verdict in skipped[:SHOWN])
    more = f"\n  and {len(skipped) - SHOWN} more" if len(skipped) > SHOWN else ""
    return (
        f"{len(skipped)} of {files} files can't be taken (sizes are height x width):\n{lines}{more}"
    )


def _check_size(size: tuple[int, int] | None, owner: str) -> tuple[int, int] | None:
    """Refuse what is not a height and a width."""
    if size is None:
        return None
    try:
        height, width = size
        whole = isinstance(height, int | np.integer) and isinstance(width, int | np.integer)
        fits = whole and min(height, width) >= 1 and height * width <= MAXIMUM_PIXELS
    except (TypeError, ValueError):
        fits = False
    if not fits:
        must_be = f"(height, width) of at least 1 each and {MAXIMUM_PIXELS} pixels in all"
        raise InvalidArgument("size", owner, must_be, got=size)
    return int(height), int(width)


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """Find all files in order; a folder that can't be entered comes as if it were a file."""
    real = folder.resolve()
    if real in above or not os.access(folder, os.R_OK | os.X_OK):
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in PASSED_OVER:
            continue
        if path.is_dir():
            yield from _walk(path, (*above, real))
        else:
            yield path


def _judge(path: Path) -> _Verdict:
    """Decode a file to see whether it can be taken."""
    try:
        image = _open_image(path)
    except _Refused as reason:
        return _Verdict(path, refused=str(reason))
    return _Verdict(path, size=image.size[::-1], grey=image.mode == "L")


def _open_image(path: Path) -> "Image":
    """Decode a file to an image of mode L or RGB, or say why not."""
    from PIL import Image, UnidentifiedImageError

    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture is taken or refused, never doubted
            return _decode(path)
    except _Refused:
        raise
    except UnidentifiedImageError as error:
        raise _Refused(_NO_IMAGE) from error
    except Image.DecompressionBombError as error:
        raise _Refused(_TOO_LARGE) from error
    except Exception as error:  # broken bytes make decoders raise almost anything
        raise _Refused(f"is broken: {str(error)[:80]!r}") from error


def _decode(path: Path) -> "Image":
    """Decode a file by the rules in this file's head."""
    from PIL import Image, ImageOps

    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAXIMUM_PIXELS:
            raise _Refused(_TOO_LARGE)
        # MPO is a camera's JPEG with previews: its first frame is the picture.
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise _Refused(f"has {image.n_frames} frames, and which is meant is not known")
        return _reduce(ImageOps.exif_transpose(image), image.format)


def _check_file(path: Path) -> None:
    """Refuse what must not even reach a decoder."""
    if not path.exists():
        raise _Refused("is a link that leads nowhere")
    if path.is_dir():
        raise _Refused("is a folder that can't be read, or a link to a folder it is in")
    if not path.is_file():
        raise _Refused("is not a regular file")
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise _Refused(f"can't be read: {error.strerror}") from error
    if not head:
        raise _Refused("is empty")
    if head in (b"%!PS", b"\xc5\xd0\xd3\xc6"):
        raise _Refused("is EPS, a program that is not run here")


def _reduce(image: "Image", kind: str | None) -> "Image":
    """Bring an image of any mode to L or RGB; `kind` is the format it came in."""
    from PIL import Image

    # Pillow widens the 16 bits of PPM to 32.
    if image.mode.startswith("I;16") or (image.mode == "I" and kind == "PPM"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise _Refused("has 32-bit pixels; save them as .npy")
    grey = image.mode in ("1", "L", "LA", "La")
    palette = image.mode in ("P", "PA")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    if palette:
        pixels = np.asarray(image.convert("RGB"))
        grey = bool((pixels == pixels[..., :1]).all())
    return image.convert("L" if grey else "RGB")
