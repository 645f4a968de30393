"""Learning rate schedules."""

import keras


def warmup_cosine_decay(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a schedule that rises linearly from zero to `peak` and then falls to zero along a cosine.

    The rise takes the first twentieth of the steps. The fall is that of Loshchilov and Hutter (2017), "SGDR:
    Stochastic gradient descent with warm restarts", without restarts.

    Args:
        peak: float. The highest learning rate.
        steps: int. Number of optimizer steps of the whole training.

    Example:
    >>> import zoo
    >>> schedule = zoo.schedules.warmup_cosine_decay(0.01, 1_000)
    >>> [round(float(schedule(step)), 4) for step in (0, 25, 50, 525, 1_000)]
    [0.0, 0.005, 0.01, 0.005, 0.0]
    """
    warmup = steps // 20
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=peak, warmup_steps=warmup
    )
