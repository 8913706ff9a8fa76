"""The command line: each command parses, makes one call, and renders one result.

Keras and JAX are imported by the commands that need them, so `--help` is instant. Results go
to standard output, progress and messages to standard error.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from truecopy.backend import explain_missing_backend, keep_compiled
from truecopy.cli_audit import audit
from truecopy.cli_shared import (
    DATA_WORDS,
    Data,
    Json,
    Model,
    NoiseOption,
    OnBad,
    OutFile,
    Quiet,
    Seed,
    Size,
    open_data,
    print_result,
)
from truecopy.errors import InvalidArgument, TruecopyError
from truecopy.reports.progress import working

_INTERRUPTED: Final = 130
_USAGE: Final = 2

Categorical = Annotated[
    list[str] | None,
    typer.Option(help="a table's column whose values are categories (as often as needed)"),
]
Ignore = Annotated[
    list[str] | None, typer.Option(help="a table's column to leave out (as often as needed)")
]

app = typer.Typer(
    help="Trains autoencoders, tells you honestly how good the copy is, and finds what is "
    "wrong when it isn't.",
    epilog="Start with: truecopy demo. --debug, anywhere, shows tracebacks. "
    "Exit codes: 0 fine, 1 faults found, 2 wrong usage or bad input, 3 training diverged, "
    "130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command()(audit)


def main() -> None:
    """Run the command line and exit with its code."""
    keep_compiled()
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command; return its exit code. Errors become one message on standard error."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        code = app(arguments, standalone_mode=False)
    except TruecopyError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            told = error.format_message()
            return _fail(f"{told} Try 'truecopy --help'." if told else "", _USAGE)
        if debug:
            raise
        missing = explain_missing_backend()
        told = missing or f"{type(error).__name__}: {error} (--debug shows where)"
        return _fail(told, _USAGE)
    if code == _INTERRUPTED:  # typer 0.29 turns Ctrl-C into this code, without a word
        return _fail("Interrupted.", _INTERRUPTED)
    return int(code or 0)


def _fail(message: str, code: int) -> int:
    if message:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"truecopy: {message}", markup=False
        )
    return code


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="the report to write")] = Path("report.html"),
    seed: Seed = 0,
    *,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train and score two autoencoders on MNIST, and answer two questions people ask.

    Fits a dense and a denoising autoencoder, prints their scorecards, shows what Keras'
    "accuracy" and a softmax output really do, and writes a report with pictures.
    """
    from truecopy.demo import run_demo

    result = run_demo(out, seed=seed, quiet=quiet, console=Console(stderr=as_json, quiet=quiet))
    if as_json:
        print_result(result, as_json=True)
    else:
        typer.echo(f"report: {out.resolve()}")


@app.command()
def profile(
    data: Data,
    size: Size = None,
    on_bad: OnBad = "error",
    *,
    categorical: Categorical = None,
    ignore: Ignore = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what the data are, and the plan that follows: scaling, output, loss."""
    from truecopy.data.mixed import profile_and_plan

    with working(f"profiling {data}", quiet=quiet):
        measured, planned = profile_and_plan(
            open_data(data, size, on_bad), categorical=categorical or (), ignore=ignore or ()
        )
    if as_json:
        plan = None if planned is None else planned.to_dict()
        print_result({"data": measured.to_dict(), "plan": plan}, as_json=True)
    else:
        print_result(measured, as_json=False)
    if planned is None:
        measured.require_finite()
    elif not as_json:
        print_result(planned, as_json=False)


@app.command()
def fit(  # noqa: PLR0913, PLR0917 (an option each)
    data: Data,
    model: Annotated[str, typer.Option(help="auto, dense, conv, or recipe:NAME")] = "auto",
    latent: Annotated[int | None, typer.Option(help="width of the latent")] = None,
    noise: NoiseOption = None,
    epochs: Annotated[int | None, typer.Option(help="the most epochs to train")] = None,
    seed: Seed = 0,
    size: Size = None,
    on_bad: OnBad = "error",
    out: Annotated[Path | None, typer.Option(help="run folder to make")] = None,
    *,
    categorical: Categorical = None,
    ignore: Ignore = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with the interrupted training of --out")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train an autoencoder; write a run folder with models, scorecard and report.

    Example: truecopy fit mnist --noise gaussian:0.5,0.5 --out my-denoiser
    """
    from truecopy.run import make_run, place_checkpoint

    if resume and out is None:
        raise InvalidArgument("--resume", "truecopy fit", "given with --out RUN", got="no --out")
    settings = {
        "model": model,
        "latent": latent,
        "noise": None if noise == "none" else noise,
        "epochs": epochs,
        "seed": seed,
        "quiet": quiet,
        "categorical": categorical or (),
        "ignore": ignore or (),
    }
    try:
        folder, card = make_run(open_data(data, size, on_bad), settings, out=out, resume=resume)
    except KeyboardInterrupt:
        if out is not None and place_checkpoint(out).exists():
            typer.echo(f"Go on with: --resume --out {out}", err=True)
        raise
    if as_json:
        print_result({"run": str(folder), "scorecard": card.to_dict()}, as_json=True)
    elif not quiet:
        print_result(card, as_json=False)
        typer.echo(f"run: {folder}\nreport: {folder / 'report.html'}")


@app.command()
def evaluate(  # noqa: PLR0913 (an option each)
    models_and_data: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL [MODEL] DATA",
            help=f"one or two models (run folders or .keras files), then {DATA_WORDS}",
        ),
    ],
    target: Annotated[str | None, typer.Option(help="clean rows, where DATA are noisy")] = None,
    train: Annotated[str | None, typer.Option(help="rows to fit the baselines on")] = None,
    noise: Annotated[
        str | None, typer.Option(help="as in fit; 'none' for a denoiser on clean rows")
    ] = None,
    seed: Seed = 0,
    size: Size = None,
    on_bad: OnBad = "error",
    out: Annotated[Path | None, typer.Option(help="also write .json, .txt or .html")] = None,
    *,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score how good a model's copies are, each figure between its floor and its ceiling.

    With two models, also the difference of every figure, paired row by row.
    """
    from truecopy.metrics.compare import compare
    from truecopy.metrics.evaluate import evaluate as score_copies
    from truecopy.reports.result import check_savable

    *models, data = models_and_data
    if len(models) not in {1, 2}:
        must_be = "one or two models, then the data"
        raise InvalidArgument("MODEL", "truecopy evaluate", must_be, got=" ".join(models_and_data))
    if out is not None:
        check_savable(out)
    cards = []
    for model in models:
        with working(f"scoring {model} on {data}", quiet=quiet):
            card = score_copies(
                model,
                open_data(data, size, on_bad),
                target=open_data(target, size, on_bad),
                train=open_data(train, size, on_bad),
                noise=noise,
                seed=seed,
            )
        cards.append(card)
    result = cards[0] if len(cards) == 1 else compare(*cards)
    if out is not None:
        result.save(out)
    print_result(result, as_json=as_json)


@app.command()
def reconstruct(
    model: Model,
    data: Data,
    out: OutFile,
    size: Size = None,
    on_bad: OnBad = "error",
    *,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the copies of all rows, in the data's own units."""
    from truecopy.run import write_reconstructed

    with working(f"reconstructing {data}", quiet=quiet):
        written = write_reconstructed(model, open_data(data, size, on_bad), out)
    if as_json:
        print_result(written, as_json=True)


@app.command()
def encode(
    model: Model,
    data: Data,
    out: OutFile,
    size: Size = None,
    on_bad: OnBad = "error",
    *,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the latents of all rows."""
    from truecopy.run import write_encoded

    with working(f"encoding {data}", quiet=quiet):
        written = write_encoded(model, open_data(data, size, on_bad), out)
    if as_json:
        print_result(written, as_json=True)


@app.command()
def score(
    model: Model,
    data: Data,
    out: OutFile,
    size: Size = None,
    on_bad: OnBad = "error",
    *,
    contributions: Annotated[
        bool, typer.Option("--contributions", help="also what each column adds to it")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the reconstruction error of each row: how unlike the training data it is."""
    from truecopy.run import write_scores

    with working(f"scoring {data}", quiet=quiet):
        written = write_scores(
            model, open_data(data, size, on_bad), out, contributions=contributions
        )
    if as_json:
        print_result(written, as_json=True)


@app.command()
def explain(
    name: Annotated[
        str, typer.Argument(help="a rule, metric, loss or activation, e.g. TC201 or accuracy")
    ],
    on: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="MODEL DATA", help="add this model's numbers on these data"),
    ] = None,
    *,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Explain a rule, a metric, a loss or an activation, in words and with its formula."""
    from truecopy.explain import explain as find_page
    from truecopy.explain import explain_on

    page = find_page(name)
    numbers = None
    if on is not None:
        with working(f"scoring {on[0]} on {on[1]}", quiet=quiet):
            numbers = explain_on(page, *on)
    if as_json:
        print_result(
            {"name": page.name, "kind": page.kind, "text": page.text, "on": numbers}, as_json=True
        )
    else:
        typer.echo(f"{page.name} ({page.kind})\n\n{page.text}")
        for sentence in (numbers or {}).get("sentences", ()):
            typer.echo(f"\n{sentence}")
