"""Learning rate schedules."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def warmup_cosine_decay(
    peak: float, steps: int | Sequence[tuple[int, int]]
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule that rises linearly from zero to `peak` and then falls to zero along a cosine.

    The rise takes the first twentieth of the steps. The fall is that of Loshchilov and Hutter (2017), "SGDR:
    Stochastic gradient descent with warm restarts". A run that goes on with more epochs has further cycles, which
    are restarts: each rises and falls again, to half of the peak of the one before.

    Args:
        peak: float. The highest learning rate.
        steps: int. Number of optimizer steps of the whole training; or a list with a pair for each cycle: the step
            at which it starts and its number of steps, as `zoo.training.Run.plan_schedule` returns it. A cycle may
            start before the one before it ends.

    Example:
        >>> import zoo
        >>> schedule = zoo.schedules.warmup_cosine_decay(0.01, 1_000)
        >>> [round(float(schedule(step)), 4) for step in (0, 25, 50, 525, 1_000)]
        [0.0, 0.005, 0.01, 0.005, 0.0]
        >>> schedule = zoo.schedules.warmup_cosine_decay(0.01, [(0, 1_000), (1_000, 200)])
        >>> [round(float(schedule(step)), 4) for step in (525, 1_000, 1_010, 1_105, 1_200)]
        [0.005, 0.0, 0.005, 0.0025, 0.0]
    """
    return _WarmupCosineDecay(peak, [(0, steps)] if isinstance(steps, int) else steps)


def warmup_inverse_sqrt_decay(
    peak: float, steps: int | Sequence[tuple[int, int]]
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule that rises linearly from zero to `peak` and then falls with the square root of the steps.

        rate = peak min(step / warmup, √(warmup / step))

    From Vaswani et al. (2017), "Attention is all you need". The rise takes the first twentieth of the steps. Unlike
    `warmup_cosine_decay` it suits a training that may stop at any time: after a fifth of the steps the rate is half
    of the peak, after all of them 0.22 of it.

    Args:
        peak: float. The highest learning rate.
        steps: int. Number of optimizer steps of the whole training, if it does not stop earlier; or a list as of
            `warmup_cosine_decay`, of which the first cycle counts: further ones go on along the same curve.

    Example:
        >>> import zoo
        >>> schedule = zoo.schedules.warmup_inverse_sqrt_decay(0.01, 1_000)
        >>> [round(float(schedule(step)), 4) for step in (0, 25, 50, 200, 800)]
        [0.0, 0.005, 0.01, 0.005, 0.0025]
    """
    first = steps if isinstance(steps, int) else steps[0][1]
    return _WarmupInverseSqrtDecay(peak, max(first // 20, 1))


@keras.saving.register_keras_serializable("zoo", "WarmupInverseSqrtDecay")
class _WarmupInverseSqrtDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The schedule of `warmup_inverse_sqrt_decay`.

    Args:
        peak: highest learning rate.
        warmup: number of steps until it is reached.
    """

    def __init__(self, peak: float, warmup: int) -> None:
        self.peak, self.warmup = peak, warmup

    def __call__(self, step: Any) -> Any:
        share = ops.cast(step, "float32") / self.warmup
        return self.peak * ops.minimum(share, ops.rsqrt(ops.maximum(share, 1.0)))

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "warmup": self.warmup}


@keras.saving.register_keras_serializable("zoo", "WarmupCosineDecay")
class _WarmupCosineDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The schedule of `warmup_cosine_decay`.

    Args:
        peak: highest learning rate of the first cycle.
        cycles: first step and number of steps of each cycle.
    """

    def __init__(self, peak: float, cycles: Sequence[tuple[int, int]]) -> None:
        self.peak, self.cycles = peak, [list(cycle) for cycle in cycles]
        self._decays = []
        for number, (_, steps) in enumerate(self.cycles):
            warmup = steps // 20
            decay = keras.optimizers.schedules.CosineDecay(
                0.0, steps - warmup, warmup_target=peak / 2**number, warmup_steps=warmup
            )
            self._decays.append(decay)

    def __call__(self, step: Any) -> Any:
        rate = self._decays[0](step)
        for (start, _), decay in zip(self.cycles[1:], self._decays[1:], strict=True):
            rate = ops.where(step < start, rate, decay(step - start))
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "cycles": self.cycles}
