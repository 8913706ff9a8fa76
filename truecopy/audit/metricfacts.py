"""What a compiled metric became, and what it says of trivial and of perfect copies.

Keras decides by the output's shape what 'accuracy' means; whether a metric counts matches is
asked of its numbers: nudge every prediction a little, and what counts stays the same.
"""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from truecopy.audit.tensors import to_float, to_tensor
from truecopy.rules.modelfacts import MetricFacts

Array = NDArray[Any]

# Keras' own batch, so that float32 sums come out as `evaluate` gives them.
_BATCH: Final = 32
# Of more rows than this the last digit is not worth thousands of small batches.
_FEW: Final = 2048
_LARGE_BATCH: Final = 2048
# All targets are looked at up to this many values: a second or so.
_MOST_VALUES: Final = 200_000_000
# Few values and a nudge far smaller than the distance to a threshold, yet far larger than what
# float32 rounds away.
_NUDGED_ROWS: Final = 4
_NUDGE: Final = 1e-4
_TRIALS: Final = 5


def describe_metrics(
    model: Any, targets: Array | None, seen: Array | None, *, whole: Array | None = None
) -> tuple[MetricFacts, ...]:
    """Return the compiled metrics of a model, with their values on rows.

    Args:
        model: Compiled; its metrics are left as they are.
        targets: The rows' targets, (rows, ...); None: only names are told.
        seen: What the model answers for them.
        whole: All targets there are, for the values of a blank page and of a perfect copy.
    """
    held = getattr(model, "_compile_metrics", None)
    if held is None:
        return ()
    asked = _flatten(held._user_metrics) + _flatten(held._user_weighted_metrics)  # noqa: SLF001
    if targets is None or not len(targets):
        return tuple(MetricFacts(asked=_name(m), resolves_to="", counts=False) for m in asked)
    output = targets if seen is None else seen
    try:
        # A new list, built for these shapes: the model's own stays as it is.
        fresh = type(held)(
            held._user_metrics,  # noqa: SLF001
            held._user_weighted_metrics,  # noqa: SLF001
            output_names=held.output_names,
        )
        fresh.build(to_tensor(targets[:1]), to_tensor(output[:1]))
    except Exception:  # noqa: BLE001 - metrics of several outputs, or the user's own failing
        return tuple(MetricFacts(asked=_name(m), resolves_to="", counts=False) for m in asked)
    pairs = zip(asked, fresh.metrics, strict=False)
    known = targets if whole is None or whole.size > _MOST_VALUES else whole
    return tuple(_describe(ask, metric, targets, seen, known) for ask, metric in pairs)


def _describe(
    asked: Any, metric: Any, targets: Array, seen: Array | None, whole: Array
) -> MetricFacts:
    mean = np.broadcast_to(targets.mean(axis=0), targets.shape)
    same = seen is None or seen.shape == targets.shape
    return MetricFacts(
        asked=_name(asked),
        resolves_to=_class_name(metric),
        counts=same and _counts_matches(metric, targets),
        blank=_evaluate(metric, whole, np.zeros_like(whole, np.float32)) if same else None,
        mean=_evaluate(metric, targets, mean.astype(np.float32)) if same else None,
        perfect=_evaluate(metric, whole, whole.astype(np.float32)) if same else None,
        seen=None if seen is None else _evaluate(metric, targets, seen),
    )


def _counts_matches(metric: Any, targets: Array) -> bool:
    """Say whether the metric is the same for predictions a little apart."""
    rows = targets[:_NUDGED_ROWS].astype(np.float64)
    draw = np.random.default_rng(0)
    spread = float(targets.std()) or 1.0
    # A copy, and far above and below it, so that something changes where thresholds are far off.
    far = (rows, rows.max() + spread + 0 * rows, rows.min() - spread + 0 * rows)
    values = [_evaluate(metric, targets[:_NUDGED_ROWS], p.astype(np.float32)) for p in far]
    stays = 0
    for _ in range(_TRIALS):
        guess = 0.5 * (rows + rows.mean()) + 0.3 * spread * draw.normal(size=rows.shape)
        nudged = guess + _NUDGE * spread * draw.uniform(0.5, 1.0, rows.shape)
        before, after = (
            _evaluate(metric, targets[:_NUDGED_ROWS], p.astype(np.float32)) for p in (guess, nudged)
        )
        if before is None or after is None:
            return False
        values.append(before)
        stays += before == after
    # A metric that never changes says nothing at all; it counts where no match is possible, as of
    # Keras' accuracies on real numbers, which give 0 for a perfect copy too.
    named = "accuracy" in _class_name(metric).lower()
    return stays > _TRIALS // 2 and (named or len(set(values)) > 1)


def _evaluate(metric: Any, targets: Array, predictions: Array) -> float | None:
    """Return the metric over rows in Keras' batches, without touching its state."""
    try:
        state = metric.stateless_reset_state()
        batch = _BATCH if len(targets) <= _FEW else _LARGE_BATCH
        for start in range(0, len(targets), batch):
            rows = slice(start, start + batch)
            state = metric.stateless_update_state(
                state, to_tensor(targets[rows]), to_tensor(predictions[rows])
            )
        value = to_float(metric.stateless_result(state))
    except Exception:  # noqa: BLE001 - the user's metric may raise anything
        return None
    return value if np.isfinite(value) else None


def _flatten(metrics: Any) -> list[Any]:
    return [m for m in keras.tree.flatten(metrics) if m is not None]


def _name(metric: Any) -> str:
    if isinstance(metric, str):
        return metric
    return str(getattr(metric, "name", None) or getattr(metric, "__name__", type(metric).__name__))


def _class_name(metric: Any) -> str:
    """Return the class Keras made of it; for a wrapped function its own name."""
    kind = type(metric)
    wrapped = getattr(metric, "_fn", None)
    if kind is keras.metrics.MeanMetricWrapper and wrapped is not None:
        return str(getattr(wrapped, "__name__", type(wrapped).__name__))
    return kind.__name__
