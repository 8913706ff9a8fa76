"""Scoring the copies of MNIST's 60,000 training images, dense and convolutional."""

from pathlib import Path

from benchmarks.measure import Program

_RECIPES = {"dense": "recipe:vanilla-dense", "conv": "recipe:keras-denoising"}
_WAYS = {
    "predict": ("scores:predict", (), "the copies alone, no scores"),
    "truecopy.evaluate": (
        "scores:evaluate",
        (),
        "all metrics with floor, PCA, ceiling, interval, examples",
    ),
    "predict + scikit": (
        "scores:score_with_peers",
        ("skimage",),
        "MSE, MAE, R2 (scikit-learn), PSNR, SSIM (scikit-image); no floors, no intervals",
    ),
}


def programs(*, quick: bool, scratch: Path) -> list[Program]:
    """Return the ways to score, for both models."""
    rows = 2_000 if quick else 60_000
    prepare = [
        Program(
            name=f"preparing {model}",
            call="scores:write_run",
            settings={"folder": str(scratch / model), "recipe": recipe, "rows": rows},
            backend="jax",
            makes=str(scratch / model),
        )
        for model, recipe in _RECIPES.items()
    ]
    return prepare + [
        Program(
            name=f"{model}: {way}",
            call=call,
            settings={"folder": str(scratch / model), "rows": rows},
            backend="jax",
            needs=needs,
            note=note,
        )
        for model in _RECIPES
        for way, (call, needs, note) in _WAYS.items()
    ]
