"""Says on standard error what is being done, while it is; training has a bar of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def working(what: str, *, quiet: bool) -> Iterator[None]:
    """Show `what` with a spinner until the block ends, unless `quiet` or not a terminal."""
    if quiet:
        yield
        return
    with Console(stderr=True).status(what):
        yield
