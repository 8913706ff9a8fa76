"""Writing files and folders so that they are there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from truecopy.errors import OutputExists, OutputFailed


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an error.

    Args:
        path: Must not exist yet, or be an empty folder.

    Raises:
        OutputExists: There is something at `path`; it stays as it is.
        OutputFailed: The folder can't be written.
    """
    final = Path(path)
    check_new_folder(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    except OSError as error:
        message = f"Can't write {str(final)!r}: {error.strerror or error}."
        raise OutputFailed(message) from error
    try:
        yield temporary
        # mkdtemp makes the folder private; a run folder is as readable as any other.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
        temporary.replace(final)
    except OSError as error:
        message = f"Can't write {str(final)!r}: {error.strerror or error}."
        raise OutputFailed(message) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_new_folder(path: Path) -> None:
    """Refuse a folder that holds something already, before any work is done.

    Raises:
        OutputExists: There is something at `path`.
        OutputFailed: Its folder can't be made.
    """
    empty = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    here = path.resolve() == Path.cwd()
    if here or ((path.exists() or path.is_symlink()) and not empty):
        message = f"{str(path)!r} exists already. Choose another name, or move it away first."
        raise OutputExists(message)
    parent = path.resolve().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        message = f"Can't write {str(path)!r}: {str(parent)!r} is not a folder that can be written."
        raise OutputFailed(message)
