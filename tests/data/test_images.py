"""A folder of images gives rows of bytes by stated rules, or a verdict on every bad file."""

import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from truecopy.data import spooling
from truecopy.data.sources import open_source
from truecopy.errors import BrokenData, EmptyData, InvalidArgument

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (7, 6, 5), dtype=np.uint8)  # rows, height, width
COLOUR = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
FORMATS = "BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF, WEBP"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").mkdir()
    return tmp_path / "f"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number, pixels in enumerate(GREY):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def read(folder="f", **options):
    return np.concatenate(list(open_source(folder, **options).batches(2)))


def refuses(*verdicts, files):
    """Check the whole message of the error on folder f."""
    lines = "\n".join(f"  {verdict}" for verdict in verdicts)
    bad = len([verdict for verdict in verdicts if verdict.startswith("'")])
    more = re.search(r"and (\d+) more", lines)
    message = (
        f"'f': {bad + (int(more[1]) if more else 0)} of {files} files can't be taken (sizes are "
        f"height x width):\n{lines}\n"
        "Move them away, or skip them with on_bad='skip' or --on-bad skip; other sizes can be "
        "resized with size=(height, width) or --size HxW."
    )
    with pytest.raises(BrokenData, match=f"^{re.escape(message)}$"):
        open_source("f")


@given(size=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_any_batch_size_gives_the_images_in_the_order_of_their_names(folder, size):
    source = open_source(folder)

    passes = [list(source.batches(size)) for _ in range(2)]

    for batches in passes:
        assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
        np.testing.assert_array_equal(np.concatenate(batches), GREY[..., np.newaxis])
    np.testing.assert_array_equal(source.array(), GREY[..., np.newaxis])
    assert (source.rows, source.shape, source.dtype) == (7, (6, 5, 1), np.uint8)
    assert source.labels is None


def test_images_that_do_not_fit_into_memory_are_spooled_once(folder, monkeypatch):
    monkeypatch.setattr(spooling, "MEMORY_SHARE", 0)
    monkeypatch.setattr(spooling, "PIECE", 70)
    source = open_source(folder)

    assert isinstance(source.array(), np.memmap)
    assert source.array() is source.array()
    np.testing.assert_array_equal(source.array(), GREY[..., np.newaxis])


def test_subfolders_are_classes(here):
    for name in ("b/0.png", "a/1.png", "a/0.png", "b/deep/9.png"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY[0]).save(here / name)

    source = open_source("f")

    assert source.classes == ("a", "b")
    assert source.labels.tolist() == [0, 0, 1, 1]


def test_images_beside_subfolders_leave_no_classes(here):
    for name in ("a/0.png", "b/0.png", "c.png"):
        (here / name).parent.mkdir(exist_ok=True)
        Image.fromarray(GREY[0]).save(here / name)

    source = open_source("f")

    assert (source.rows, source.classes, source.labels) == (3, (), None)


def test_what_the_system_writes_is_passed_over(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    (here / ".hidden").mkdir()
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/x.txt"):
        (here / name).write_bytes(b"x")

    assert open_source("f").rows == 1


def test_a_linked_folder_is_followed(here):
    (here / "../elsewhere").mkdir()
    Image.fromarray(GREY[0]).save(here / "../elsewhere/0.png")
    (here / "link").symlink_to("../elsewhere")

    assert open_source("f").rows == 1


def grey_palette():
    return Image.fromarray(GREY[0]).convert("P")


def half_transparent():
    image = Image.fromarray(COLOUR).convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat([[255] * 5, [0] * 5], 3, axis=0).astype(np.uint8)))
    return image


WHITE_BELOW = np.concatenate([COLOUR[:3], np.full((3, 5, 3), 255, np.uint8)])
FULL = GREY[0][..., np.newaxis]
MODES = {
    "grey": (lambda: Image.fromarray(GREY[0]), "png", FULL),
    "black and white": (lambda: Image.fromarray(GREY[0] > 99), "png", (FULL > 99) * 255),
    "colour": (lambda: Image.fromarray(COLOUR), "png", COLOUR),
    "grey palette": (grey_palette, "png", FULL),
    "grey with alpha": (lambda: Image.fromarray(GREY[0]).convert("LA"), "png", FULL),
    "colour with alpha": (half_transparent, "png", WHITE_BELOW),
    "16 bits": (lambda: Image.fromarray(GREY[0].astype(np.uint16) * 256 + 255), "png", FULL),
    "16 bits as tiff": (lambda: Image.fromarray(GREY[0].astype(np.uint16) * 257), "tif", FULL),
    "16 bits as pgm": (lambda: Image.fromarray(GREY[0].astype(np.int32) * 257), "pgm", FULL),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_grey_or_colour_bytes(here, mode):
    draw, extension, expected = MODES[mode]
    draw().save(here / f"0.{extension}")

    np.testing.assert_array_equal(read(), expected[np.newaxis])


def test_a_palette_of_colours_becomes_colour(here):
    image = Image.fromarray(np.eye(5, dtype=np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])  # 0 is red, 1 is blue
    image.save(here / "0.png")

    rows = read()

    assert rows[0, 0, 0].tolist() == [0, 0, 255]
    assert rows[0, 0, 1].tolist() == [255, 0, 0]


def test_cmyk_becomes_colour(here):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(here / "0.tif")

    assert read()[0, 0, 0].tolist() == [255, 0, 0]


def test_a_folder_of_grey_and_colour_becomes_colour(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    Image.fromarray(COLOUR).save(here / "1.png")

    rows = read()

    np.testing.assert_array_equal(rows[0], np.repeat(GREY[0][..., np.newaxis], 3, axis=2))
    np.testing.assert_array_equal(rows[1], COLOUR)


def test_the_camera_is_turned_upright(here):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: to be rotated clockwise
    Image.fromarray(GREY[0]).save(here / "0.png", exif=exif)

    np.testing.assert_array_equal(read()[0, ..., 0], np.rot90(GREY[0], -1))


def test_the_content_decides_not_the_name(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    (here / "0.png").rename(here / "0.jpg")

    np.testing.assert_array_equal(read()[0, ..., 0], GREY[0])


def test_a_size_resizes_what_differs(here):
    Image.new("L", (5, 6), 100).save(here / "0.png")
    Image.new("L", (9, 3), 50).save(here / "1.png")

    rows = read(size=(4, 2))

    assert rows.shape == (2, 4, 2, 1)
    assert [row.mean() for row in rows] == [100, 50]


@pytest.mark.parametrize("size", [(0, 4), (8000, 8000), 28, (28,), (1, 2, 3), ("a", "b"), (2.5, 4)])
def test_a_size_must_be_a_height_and_a_width(here, size):
    Image.fromarray(GREY[0]).save(here / "0.png")

    with pytest.raises(InvalidArgument) as error:
        open_source("f", size=size)

    assert str(error.value) == (
        "The 'size' argument of truecopy must be (height, width) of at least 1 each and 50000000 "
        f"pixels in all. Got {size!r}."
    )


def test_a_folder_without_images_is_empty(here):
    message = rf"^There are no images \({FORMATS}\) in 'f'\.$"
    with pytest.raises(EmptyData, match=message):
        open_source("f")
    (here / "notes.txt").write_text("hello")
    with pytest.raises(EmptyData, match=message):
        open_source("f")


def test_one_error_gives_a_verdict_on_every_bad_file(here):
    for number, pixels in enumerate(GREY):
        Image.fromarray(pixels).save(here / f"{number}.png")
    Image.new("L", (6, 5)).save(here / "a.png")
    (here / "b\n\u202e<script>.png").write_bytes((here / "0.png").read_bytes()[:60])
    (here / "c.png").touch()
    (here / "d.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n")
    Image.new("L", (5, 6)).save(
        here / "e.gif", save_all=True, append_images=[Image.new("L", (5, 6), 9)]
    )
    (here / "f.txt").write_text("hello")
    Image.new("L", (10_000, 5_001)).save(here / "g.png")
    Image.new("1", (20_000, 10_000)).save(here / "h.png")
    Image.fromarray(GREY[0].astype(np.float32)).save(here / "i.tif")

    refuses(
        r"'f/b\n\u202e<script>.png' is broken: 'image file is truncated'",
        "'f/c.png' is empty",
        "'f/d.eps' is EPS, a program that is not run here",
        "'f/e.gif' has 2 frames, and which is meant is not known",
        f"'f/f.txt' is not an image ({FORMATS})",
        "'f/g.png' has more than 50 megapixels",
        "'f/h.png' has more than 50 megapixels",
        "'f/i.tif' has 32-bit pixels; save them as .npy",
        "'f/a.png' is 5 x 6, not 6 x 5 like most",
        files=16,
    )


def test_links_and_what_is_no_file_get_a_verdict(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    (here / "a").symlink_to("nowhere")
    (here / "b").symlink_to(".")
    (here / "c").symlink_to("d")
    (here / "d").symlink_to("c")
    os.mkfifo(here / "e")

    refuses(
        "'f/a' is a link that leads nowhere",
        "'f/b' is a folder that can't be read, or a link to a folder it is in",
        "'f/c' is a link that leads nowhere",
        "'f/d' is a link that leads nowhere",
        "'f/e' is not a regular file",
        files=6,
    )


def test_a_name_that_is_no_text_is_escaped(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    with open(os.fsencode(here) + b"/\xff.png", "wb"):  # noqa: PTH123 - a name of bytes
        pass

    refuses(r"'f/\udcff.png' is empty", files=2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_and_folders_get_a_verdict(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    (here / "1.png").touch(mode=0)
    (here / "2").mkdir(mode=0)

    refuses(
        "'f/1.png' can't be read: Permission denied",
        "'f/2' is a folder that can't be read, or a link to a folder it is in",
        files=3,
    )


def test_ten_verdicts_are_shown_and_the_rest_counted(here):
    Image.fromarray(GREY[0]).save(here / "0.png")
    for letter in "abcdefghijkl":
        (here / letter).touch()

    refuses(*[f"'f/{letter}' is empty" for letter in "abcdefghij"], "and 2 more", files=13)


def test_a_file_that_changed_since_opening_is_named(here):
    for number in range(2):
        Image.fromarray(GREY[number]).save(here / f"{number}.png")
    source = open_source("f")
    Image.fromarray(GREY[0, :4]).save(here / "1.png")

    with pytest.raises(BrokenData) as error:
        list(source.batches())

    assert str(error.value) == "'f/1.png' has changed: its pixels are now (4, 5)."

    (here / "1.png").unlink()
    with pytest.raises(BrokenData, match=r"^'f/1\.png' has changed: is a link that leads nowhere"):
        list(source.batches())


def test_bad_files_are_skipped_where_asked_and_listed(here):
    for number in range(3):
        Image.fromarray(GREY[number]).save(here / f"{number}.png")
    Image.fromarray(GREY[0][:3]).save(here / "small.png")
    (here / "empty.png").touch()
    (here / "notes.txt").write_text("no image")

    source = open_source("f", on_bad="skip")

    assert source.skipped == (
        "'f/empty.png' is empty",
        f"'f/notes.txt' is not an image ({FORMATS})",
        "'f/small.png' is 3 x 5, not 6 x 5 like most",
    )
    np.testing.assert_array_equal(source.array()[..., 0], GREY[:3])
    assert source.rows == 3


def test_a_folder_with_nothing_but_bad_files_is_refused_also_where_they_are_skipped(here):
    (here / "empty.png").touch()

    with pytest.raises(BrokenData, match="1 of 1 files can't be taken"):
        open_source("f", on_bad="skip")


def test_only_two_things_can_become_of_bad_files(here):  # noqa: ARG001
    with pytest.raises(
        InvalidArgument, match=r"one of error, skip\. Got 'skp'\. Did you mean 'skip'"
    ):
        open_source("f", on_bad="skp")
