"""How a watched program is ended: in its main thread, by whoever has seen enough."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

# Windows ends a process at once instead of telling it.
CAN_INTERRUPT: Final = os.name == "posix"


class TimeIsOver(BaseException):
    """Ends a `fit` that is watched; no error of the program's, so that no `except` takes it."""


class Ender:
    """Ends the program, at once or after a while.

    It is not unwound: what a program does while an exception passes could take long, and what
    it saves at its end would be of half a training. Only a `fit` is left first, because the
    model's weights are elsewhere while it runs.

    Args:
        finish: Audits what is left and ends the process; called with the reason.
    """

    def __init__(self, finish: Callable[[str], None]) -> None:
        self.finish = finish
        self.in_fit = self.in_audit = False
        self.reason = ""
        self._timer: threading.Timer | None = None

    def listen(self) -> None:
        """Let SIGTERM end the program: the parent's way to say that time is up."""
        if CAN_INTERRUPT:
            signal.signal(signal.SIGTERM, self._on_signal)

    def end_after(self, seconds: float, reason: str) -> None:
        """End the program after so many seconds."""
        self.wait_on()
        if CAN_INTERRUPT:
            self._timer = threading.Timer(seconds, self._interrupt, (reason,))
            self._timer.daemon = True
            self._timer.start()

    def wait_on(self) -> None:
        """Take back what `end_after` said."""
        if self._timer is not None:
            self._timer.cancel()

    def _interrupt(self, reason: str) -> None:
        self.reason = reason
        os.kill(os.getpid(), signal.SIGTERM)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what follows must not be interrupted
        self.reason = self.reason or "limit"
        if self.in_fit:
            raise TimeIsOver
        if not self.in_audit:  # after which the reason is seen
            self.finish(self.reason)
