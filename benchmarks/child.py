"""The measured process: calls one function and writes down what it returns.

python -m benchmarks.child MODULE:FUNCTION TOLD.json ANSWER.json
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Call what the first argument names, with the keyword arguments of the second."""
    call, told, answer = sys.argv[1:]
    module, _, function = call.partition(":")
    settings = json.loads(Path(told).read_text(encoding="utf-8"))
    figures = getattr(import_module(f"benchmarks.programs.{module}"), function)(**settings)
    Path(answer).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
