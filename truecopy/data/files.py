"""What every reader of files needs: the system's faults in our words."""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from truecopy.errors import BrokenData, TruecopyError


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Turn what the system and the decoders raise about `file` into BrokenData."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise BrokenData(f"{file!r} is not UTF-8 (byte 0x{byte:02x}). Save it as UTF-8.") from error
    except zipfile.BadZipFile as error:
        raise BrokenData(f"{file!r} is not a whole .npz (zip) file: {error}.") from error
    except TruecopyError:  # some are an OSError, too
        raise
    except (zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise BrokenData(f"{file!r} can't be unpacked: {error}.") from error
    except OSError as error:
        raise BrokenData(f"{file!r} can't be read: {error.strerror or error}.") from error
