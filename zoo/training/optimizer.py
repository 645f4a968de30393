"""The optimizer of the recipes."""

from collections.abc import Sequence
from typing import Protocol

from zoo.optimizers import FusedAdam
from zoo.schedules import warmup_cosine_decay, warmup_inverse_sqrt_decay


class OptimizerSettings(Protocol):
    """Settings of a recipe that its optimizer depends on."""

    @property
    def patience(self) -> int | None:
        """Number of epochs without improvement after which training stops; None trains all epochs."""

    @property
    def gradient_accumulation_steps(self) -> int:
        """Number of batches of one update."""


def build_optimizer(
    learning_rate: float,
    steps: int | Sequence[tuple[int, int]],
    settings: OptimizerSettings,
    beta_2: float = 0.999,
) -> FusedAdam:
    """Build the optimizer of a recipe: Adam, with gradients of at most norm 1.

    The learning rate decays to zero along a cosine after a warm-up (`warmup_cosine_decay`). With `patience`, when the
    last step is not known, it decays with the square root of the steps instead (`warmup_inverse_sqrt_decay`).

    Args:
        learning_rate: peak of the learning rate.
        steps: number of steps, or cycles of the learning rate from `Run.plan_schedule`.
        settings: `patience` and `gradient_accumulation_steps`, such as the settings of a recipe.
        beta_2: decay of the mean of squared gradients.

    Example:
        >>> import zoo
        >>> from types import SimpleNamespace
        >>> settings = SimpleNamespace(patience=None, gradient_accumulation_steps=1)
        >>> zoo.training.build_optimizer(1e-3, 1_000, settings).global_clipnorm
        1.0
    """
    decay = warmup_inverse_sqrt_decay if settings.patience else warmup_cosine_decay
    return FusedAdam(
        decay(learning_rate, steps),
        beta_2=beta_2,
        global_clipnorm=1.0,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
    )
