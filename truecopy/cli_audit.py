"""The command `truecopy audit`: a linter for a model on its data, or for a whole program."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truecopy.cli_shared import DATA_WORDS, Json, Quiet, Size, open_data, print_result
from truecopy.errors import InvalidArgument
from truecopy.reports.progress import working

if TYPE_CHECKING:
    from truecopy.audit.audit import Audit
    from truecopy.audit.config import AuditSettings

_FOUND: Final = 1
# A proof trains again: with this much watched before, all of it stays near a minute.
_PROVING: Final = 15.0
_RECIPE: Final = "recipe:"


def audit(  # noqa: PLR0913 (an option each)
    what: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_SCRIPT",
            help="a Python program, a .keras file, a run folder, or recipe:NAME",
        ),
    ],
    rest: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATA | -- ARGUMENTS]",
            help=f"for a model its data ({DATA_WORDS}); for a program its arguments",
        ),
    ] = None,
    *,
    target: Annotated[
        str | None, typer.Option(metavar="DATA", help="what a model is fitted to, if not DATA")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="training to watch [default: 60; 15 with --prove, 10 of a recipe]",
        ),
    ] = None,
    limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="the longest a program may take")
    ] = 900.0,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="RULES", help="run only these: codes, their beginnings, or names"),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="leave these out")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="error, warning, note or never [default: error]"),
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(help="also write findings for code scanning")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="also write .json, .txt or .html")] = None,
    size: Size = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="retrain with each fix and show what it brings")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="print the fixes as changed source")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find what is wrong with an autoencoder: root cause first, with evidence and a fix.

    A program is run, unchanged, with its fits watched: truecopy audit train.py -- --epochs 5
    A model needs its data: truecopy audit model.keras x_train.npy
    """
    from truecopy.audit.config import check_level
    from truecopy.reports.result import check_savable

    if out is not None:
        check_savable(out)
    settings = _settings(what, select, ignore, budget, prove=prove)
    if fail_on is not None:
        settings = replace(settings, fail_on=check_level("--fail-on", "truecopy audit", fail_on))
    result = _audit(
        what, rest or [], settings, target=target, size=size, limit=limit, prove=prove, quiet=quiet
    )
    _write(result, sarif=sarif, out=out)
    print_result(result, as_json=as_json)
    if diff:
        _print_diff(result, as_json=as_json)
    return _exit_code(result, settings.fail_on)


def _settings(
    what: str,
    select: list[str] | None,
    ignore: list[str] | None,
    budget: float | None,
    *,
    prove: bool,
) -> "AuditSettings":
    """Return the nearest pyproject.toml's settings, overruled by the command line's."""
    from truecopy.audit.config import read_settings

    settings = read_settings(Path(what) if _is_script(what) else Path.cwd())
    if select is not None:
        settings = replace(settings, select=_split(select))
    if ignore is not None:
        settings = replace(settings, ignore=_split(ignore))
    if budget is not None:
        settings = replace(settings, budget=budget)
    elif prove:
        settings = replace(settings, budget=min(settings.budget, _PROVING))
    return settings


def _split(names: list[str]) -> tuple[str, ...]:
    """Return names given one by one or with commas between."""
    return tuple(name.strip() for given in names for name in given.split(",") if name.strip())


def _is_script(what: str) -> bool:
    path = Path(what)
    return not what.startswith(_RECIPE) and not path.is_dir() and path.suffix != ".keras"


def _audit(
    what: str,
    rest: list[str],
    settings: "AuditSettings",
    *,
    target: str | None,
    size: str | None,
    limit: float,
    prove: bool,
    quiet: bool,
) -> "Audit":
    """Audit a program, a recipe or a model."""
    select, ignore = settings.select, settings.ignore
    if _is_script(what):
        if target is not None:
            raise InvalidArgument("--target", "truecopy audit", "given with a model", got=target)
        from truecopy.audit.script import audit_script

        return audit_script(
            what,
            rest,
            budget=settings.budget,
            limit=limit,
            select=select,
            ignore=ignore,
            prove=prove,
            quiet=quiet,
        )
    if len(rest) > 1:
        raise InvalidArgument("DATA", "truecopy audit", "one data set", got=" ".join(rest))
    data = open_data(rest[0] if rest else None, size)
    with working(f"auditing {what}", quiet=quiet):
        if what.startswith(_RECIPE):
            from truecopy.audit.recipe import BUDGET, audit_recipe

            found = audit_recipe(
                what, data, budget=min(settings.budget, BUDGET), select=select, ignore=ignore
            )
        else:
            from truecopy.audit.audit import audit as audit_model
            from truecopy.models.opening import open_model

            wanted = open_data(target, size)
            found = audit_model(
                open_model(Path(what)),
                None if data is None else data.array(),
                None if wanted is None else wanted.array(),
                select=select,
                ignore=ignore,
            )
        return found.prove() if prove else found


def _write(result: "Audit", *, sarif: Path | None, out: Path | None) -> None:
    """Write the files that were asked for."""
    from truecopy.reports.html import write_whole
    from truecopy.reports.sarif import dump_sarif

    if sarif is not None:
        import truecopy

        write_whole(
            sarif, dump_sarif(result.to_dict(), root=str(Path.cwd()), version=truecopy.__version__)
        )
    if out is not None:
        result.save(out)


def _print_diff(result: "Audit", *, as_json: bool) -> None:
    from truecopy.audit.edit import diff

    (sys.stderr if as_json else sys.stdout).write(diff(result))


def _exit_code(result: Any, fail_on: str) -> int:
    """Return 1 where a finding is at or above the level that makes the command fail."""
    from truecopy.rules.engine import SEVERITIES

    if fail_on == "never":
        return 0
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return _FOUND if any(f.severity in failing for f in result.findings) else 0
