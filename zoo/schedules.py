"""How the learning rate moves."""

import keras


def warmup_cosine_decay(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """A rate that rises over the first twentieth of the steps, and then falls along a cosine to zero.

    After Loshchilov and Hutter, 2017, "SGDR: Stochastic gradient descent with warm restarts", without
    restarts.

    Args:
        peak: the highest rate.
        steps: of all training.
    """
    warmup = steps // 20
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=peak, warmup_steps=warmup
    )
