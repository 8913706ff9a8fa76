"""The main job on the embedded MNIST, told as the answer to two questions people ask.

1. "My denoising autoencoder reports 81.25 % accuracy. Are 81 % of the images perfect?"
2. "I trained 784-128-64-28-64-128-784 with softmax and binary cross-entropy on raw pixels.
   Why is the loss strange?"
"""

import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from truecopy.audit.audit import Audit, audit
from truecopy.data.noise import corrupt
from truecopy.facts import EvaluationFacts, RunFacts
from truecopy.metrics.evaluate import Scorecard, evaluate
from truecopy.models.autoencoder import Autoencoder
from truecopy.reports.audit_page import make_section
from truecopy.reports.html import write_page
from truecopy.reports.progress import working
from truecopy.reports.result import check_savable
from truecopy.run import describe_run

_NOISE: Final = "gaussian:0.5,0.5"
_QUESTION_1: Final = (
    "My denoising autoencoder reports 81.25 % accuracy. Are 81 % of the images perfect?"
)
_QUESTION_2: Final = (
    "I trained 784-128-64-28-64-128-784 with softmax and binary cross-entropy on raw pixels. "
    "Why is the loss strange?"
)
# What is trained: enough epochs for the story to be true, few enough for a coffee.
_PROGRAMS: Final[dict[str, dict[str, Any]]] = {
    "dense": {"model": "recipe:vanilla-dense", "epochs": 20},
    "denoiser": {"model": "dense", "latent": 16, "noise": _NOISE, "epochs": 12},
    "posted": {"model": "recipe:vanilla-dense-as-posted", "epochs": 3},
}
_AUDITED: Final = ("denoiser", "posted")
_AUDITED_ROWS: Final = 10_000
_HEADINGS: Final = {
    "dense": "1. The vanilla dense autoencoder, corrected",
    "denoiser": "2. A denoising autoencoder, and what its accuracy means",
    "posted": "3. Softmax and cross-entropy on raw pixels, as posted",
}


def run_demo(out: Path, *, seed: int, quiet: bool, console: Console) -> dict[str, Any]:
    """Train, score and explain three autoencoders on MNIST; write a report.

    Args:
        out: The HTML file to write.
        seed: Draws weights, order, split and noise.
        quiet: Show no progress bars.
        console: Where the story is told.

    Returns:
        The scorecards and audits as plain dicts, the two answers, and the report's path.

    Raises:
        OutputFailed: The folder of `out` can't be written to.
    """
    check_savable(out)
    sections, cards, answers, audits = [], {}, {}, {}
    for name, settings in _PROGRAMS.items():
        console.rule(_HEADINGS[name], align="left")
        autoencoder, card = _train(settings, seed=seed, quiet=quiet, console=console)
        cards[name] = card
        if name == "dense":
            console.print(autoencoder.plan_)
        if name != "posted":
            console.print(card)
        story = _tell(name, card.facts, autoencoder.run_)
        answers[name] = story
        console.print(*story, sep="\n\n", highlight=False)
        sections.append(describe_run(autoencoder, card, heading=_HEADINGS[name], story=story))
        if name in _AUDITED:
            with working("auditing it", quiet=quiet):
                audits[name] = _audit(name, autoencoder, seed=seed)
            console.print(audits[name])
            heading = f"{_HEADINGS[name]}: the audit"
            sections.append(make_section(audits[name].to_dict(), heading=heading))
    write_page(out, "truecopy demo: how good is the copy?", sections, command="truecopy demo")
    return {
        "report": str(out),
        "scorecards": {name: card.to_dict() for name, card in cards.items()},
        "answers": {name: list(story) for name, story in answers.items()},
        "audits": {name: found.to_dict() for name, found in audits.items()},
    }


def _train(
    settings: dict[str, Any], *, seed: int, quiet: bool, console: Console
) -> tuple[Autoencoder, Scorecard]:
    autoencoder = Autoencoder(seed=seed, quiet=quiet, **settings)
    started = time.perf_counter()
    autoencoder.fit("mnist")
    console.print(
        f"trained {autoencoder.run_.epochs} epochs in {time.perf_counter() - started:.0f} s",
        highlight=False,
    )
    with working("scoring 10,000 test images", quiet=quiet):
        card = evaluate(autoencoder, "mnist:test", seed=seed)
    return autoencoder, card


def _audit(name: str, autoencoder: Autoencoder, *, seed: int) -> Audit:
    """Audit one of the two programs that people ask about, compiled as they compile it."""
    rows = autoencoder.open("mnist").array()[:_AUDITED_ROWS]
    history = autoencoder.run_.history
    if name == "posted":
        return audit(autoencoder, rows, history=history, seed=seed)
    clean, noise = autoencoder.plan_.scaling.apply(rows), autoencoder.noise_
    noisy = clean if noise is None else corrupt(clean, noise, seed=seed)
    model = autoencoder.model_
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return audit(model, noisy, clean, history=history, seed=seed)


def _tell(name: str, facts: EvaluationFacts, run: RunFacts) -> tuple[str, ...]:
    """Return the paragraphs that this program's numbers answer."""
    tell = {"dense": _tell_dense, "denoiser": _tell_denoiser, "posted": _tell_posted}
    return tell[name](facts, run)


def _tell_dense(facts: EvaluationFacts, _: RunFacts) -> tuple[str, ...]:
    mse, bce = facts.scores["mse"], facts.scores["bce"]
    return (
        (
            f"Scaled to [0, 1], with a sigmoid output and binary cross-entropy, the network copies "
            f"the test images with MSE {mse.value:.5f}. The mean image gets {mse.floor:.5f}, PCA "
            f"with the same {facts.latent} numbers per image {mse.baselines['pca']:.5f}, a perfect "
            "copy 0."
        ),
        (
            f"Its cross-entropy is {bce.value:.4f}, and it could never be below {bce.perfect:.4f}: "
            "for grey targets the perfect copy costs the targets' entropy. What can be learned is "
            f"the {bce.value - bce.perfect:.4f} in between."
        ),
    )


def _tell_denoiser(facts: EvaluationFacts, _: RunFacts) -> tuple[str, ...]:
    accuracy, exact, mse = (facts.scores[key] for key in ("keras_accuracy", "exact_match", "mse"))
    blank = accuracy.baselines["blank"] or 0.0
    width = 100 * (accuracy.perfect - blank)
    return (
        f"Question: {_QUESTION_1!r}",
        (
            f"No. On images whose last dimension is 1, Keras resolves 'accuracy' to "
            f"{accuracy.resolves_to}: it rounds the prediction and asks whether that equals the "
            f"target, which a grey target never can. Here it reports {accuracy.value:.4f}; an "
            f"all-black page scores {blank:.4f} and a perfect copy {accuracy.perfect:.4f}. The "
            f"whole scale is {width:.2f} points wide, and says nothing about whole images."
        ),
        (
            f"Counted pixel by pixel in 8 bits, {exact.value:.1%} are equal. What says how good "
            f"the denoising is: MSE {mse.value:.5f}, from {mse.baselines['copy_input']:.5f} for "
            f"the noisy image itself and {mse.baselines['mean']:.5f} for the mean image, to 0."
        ),
    )


def _tell_posted(facts: EvaluationFacts, run: RunFacts) -> tuple[str, ...]:
    mse, losses = facts.scores["mse"], run.history["loss"]
    return (
        f"Question: {_QUESTION_2!r}",
        (
            f"Because none of the three choices fits. The loss fell from {losses[0]:,.1f} to "
            f"{losses[-1]:,.1f} in {len(losses)} epochs: on grey levels up to 255, 1 - y is "
            "negative, and the loss has no lower bound and no minimum at the perfect copy. A "
            "softmax makes all 784 outputs sum to 1, while a digit in raw grey levels sums to "
            "about 26,000: the copy is a black page."
        ),
        (
            f"In [0, 1] units its MSE is {mse.value:.4f}, against {mse.baselines['blank']:.4f} for "
            f"a blank page and {mse.baselines['mean']:.4f} for the mean image: skill "
            f"{mse.skill:.2f}. Divide by 255, use a sigmoid, and it becomes the first model above."
        ),
    )
