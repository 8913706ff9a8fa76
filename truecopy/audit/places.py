"""Where in the user's files the things are that a finding speaks of."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from truecopy.audit.source import Source

Change = Mapping[str, Any]


class NoEdit(Exception):
    """Why a change can't be made to the source."""


@dataclass(eq=False)
class Program:
    """The user's files and where in them things are."""

    plain: Mapping[str, Any]
    sources: dict[str, Source] = field(default_factory=dict)

    def source(self, where: Mapping[str, Any] | None) -> tuple[Source, int]:
        """Return the file of a place and the line in it."""
        if not where:
            raise NoEdit("its line is not known")
        file = str(where["file"])
        if file not in self.sources:
            try:
                self.sources[file] = Source(Path(file).read_text(encoding="utf-8"))
            except (OSError, ValueError, SyntaxError) as error:
                raise NoEdit(f"{file} can't be read") from error
        return self.sources[file], int(where["line"])

    def call(self, name: str, where: Mapping[str, Any] | None) -> tuple[Source, ast.Call]:
        """Return the call of `name` at a place."""
        source, line = self.source(where)
        call = source.find_call(name, line)
        if call is None:
            raise NoEdit(f"there is not one '{name}(...)' at line {line}")
        return source, call

    def compile(self) -> tuple[Source, ast.Call]:
        """Return the `compile` call."""
        return self.call("compile", (self._model().get("compiled") or {}).get("where"))

    def fit(self) -> tuple[Source, ast.Call]:
        """Return the `fit` call."""
        return self.call("fit", (self.plain.get("facts") or {}).get("fit_where"))

    def layer(self, name: str) -> tuple[Source, ast.Call, Mapping[str, Any]]:
        """Return the call that made a layer, where that line made no other."""
        layers = self._model().get("layers") or ()
        found = next((layer for layer in layers if layer["name"] == name), None)
        if found is None or not found.get("where"):
            raise NoEdit(f"the line of the layer {name!r} is not known")
        kind = str(found["kind"])
        same = [o for o in layers if o.get("where") == found["where"] and o["kind"] == kind]
        if len(same) > 1:
            raise NoEdit(f"line {found['where']['line']} makes several layers")
        return (*self.call(kind, found["where"]), found)

    def layers_of(self, change: Change, kind: str) -> list[str]:
        """Return the names of the layers that a change is meant for."""
        named = change.get("layers") or change.get("layer")
        if named:
            return [named] if isinstance(named, str) else list(named)
        layers = self._model().get("layers") or ()
        return [str(layer["name"]) for layer in layers if kind in layer["kind"]]

    @property
    def output(self) -> str:
        """Return the name of the layer that makes the output."""
        return str(self._model().get("output_layer") or "")

    @property
    def latent(self) -> str:
        """Return the name of the narrowest layer."""
        return str(self._model().get("latent_layer") or "")

    def _model(self) -> Mapping[str, Any]:
        model: Mapping[str, Any] = (self.plain.get("facts") or {}).get("model") or {}
        return model
