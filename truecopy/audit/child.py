"""The process in which a user's program runs while it is watched.

Started by `truecopy.audit.script` as `python -c ... REQUEST`. The program finds what it would
find under `python program.py`: its folder first on the path, itself as `__main__`, its own
arguments. Keras is not imported before the program does it, because the program may choose a
backend first.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from truecopy.audit.ending import Ender
from truecopy.backend import choose_backend


class Child:
    """Runs one program and writes what became of it.

    Args:
        request: 'script', 'argv', 'root', 'folder', 'budget', and whether the 'backend' was
            `truecopy.backend`'s choice rather than the user's.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.script = Path(request["script"])
        self.folder = Path(request["folder"])
        self.request = request
        self.watcher: Any = None
        self.unwatched = ""
        self.ender = Ender(self._finish)

    def run(self) -> None:
        """Run the program to its end, or to that of the audit; never returns."""
        if self.request["backend_assumed"]:
            # The program may still say `setdefault`; the choice is made when it imports Keras.
            os.environ.pop("KERAS_BACKEND", None)
        sys.meta_path.insert(0, _AfterKeras(self._watch))
        self.ender.listen()
        outcome: dict[str, Any] = {"reason": "ended"}
        try:
            self._run_program()
        except SystemExit as error:
            outcome = {"reason": "exit", "code": str(error.code)}
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is the program's)
            outcome = self._describe(error)
        self._end_with(outcome)

    def _finish(self, reason: str) -> None:
        self._end_with({"reason": reason})

    def _run_program(self) -> None:
        source = self.script.read_bytes()
        code = compile(source, self.request["shown"], "exec", dont_inherit=True)
        module = types.ModuleType("__main__")
        module.__file__ = str(self.script)
        module.__dict__["__builtins__"] = __builtins__
        sys.modules["__main__"] = module
        sys.argv = [self.request["shown"], *self.request["argv"]]
        sys.path.insert(0, str(self.script.resolve().parent))
        exec(code, module.__dict__)  # noqa: S102 (running the user's program is what was asked)

    def _watch(self) -> None:
        try:
            from truecopy.audit.watching import Watcher
        except Exception as error:  # noqa: BLE001 (another Keras; the program must go on)
            self.unwatched = f"{type(error).__name__}: {error}"
            return
        self.watcher = Watcher(
            target=self.request["shown"],
            root=Path(self.request["root"]),
            folder=self.folder,
            budget=float(self.request["budget"]),
            prove=self.request["prove"],
            ender=self.ender,
        )
        self.watcher.install()

    def _describe(self, error: BaseException) -> dict[str, Any]:
        """Return the program's error in its own words, and print it as Python would."""
        outside = error.__traceback__
        while outside is not None and outside.tb_frame.f_code.co_filename == __file__:
            outside = outside.tb_next
        traceback.print_exception(type(error), error, outside)
        from truecopy.audit.lines import is_users, name_file

        lines = [
            {"file": name_file(f.filename, Path(self.request["root"])), "line": f.lineno}
            for f in traceback.extract_tb(outside)
            if is_users(f.filename)
        ]
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            lines.append({"file": error.filename, "line": error.lineno})
        told = traceback.format_exception_only(error)
        return {
            "reason": "crash",
            "kind": type(error).__name__,
            "error": " ".join(told[-1].split()),
            "missing": getattr(error, "filename", None) if isinstance(error, OSError) else None,
            "where": lines[-1] if lines else None,
        }

    def _end_with(self, outcome: dict[str, Any]) -> None:
        """Audit what is left, write the outcome, and end this process with all its threads."""
        if self.watcher is not None:
            self.watcher.audit_rest()
        outcome["seen"] = self._seen()
        place = self.folder / "outcome.json"
        part = place.with_name(f"outcome.{os.getpid()}.part")
        part.write_text(json.dumps(outcome), encoding="utf-8")
        part.replace(place)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue
        os._exit(0)

    def _seen(self) -> dict[str, Any]:
        """Return what the program did with Keras."""
        if self.watcher is None:
            return {"keras": False, "unwatched": self.unwatched}
        models = [model for ref in self.watcher.marks.models if (model := ref()) is not None]
        return {
            "keras": True,
            "models": [str(getattr(model, "name", "?")) for model in models],
            "compiled": [str(m.name) for m in models if getattr(m, "compiled", False)],
            "failures": self.watcher.failures,
        }


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Calls `then` once Keras has been imported."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._looking = False

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (Python's signature)
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Return Keras' spec, with a loader that calls `then` at its end."""
        if fullname != "keras" or self._looking:
            return None
        choose_backend()
        self._looking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._looking = False
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_call(module: types.ModuleType) -> None:
            # TensorFlow asks where Keras is long before anyone imports it.
            sys.meta_path.remove(self)
            load(module)
            self._then()

        spec.loader.exec_module = load_and_call  # type: ignore[method-assign]
        return spec


def main() -> None:
    """Run the program that the request, the last argument, asks for."""
    request = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))
    Child(request).run()
