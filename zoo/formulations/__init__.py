"""The ways in which sequences go in and come out, as Keras models built from one `Encoder` and one `Decoder`.

many-to-one             a sequence to one answer: `ManyToOne`
delayed many-to-many    a sequence to another, once it has been read to its end: `DelayedManyToMany`
"""

from zoo.formulations.decoder import Decoder
from zoo.formulations.delayed import (
    DelayedManyToMany,
    ScheduledSampling,
    SmoothedCrossentropy,
    teacher_forced,
)
from zoo.formulations.encoder import Encoder
from zoo.formulations.many_to_one import ManyToOne

__all__ = [
    "Decoder",
    "DelayedManyToMany",
    "Encoder",
    "ManyToOne",
    "ScheduledSampling",
    "SmoothedCrossentropy",
    "teacher_forced",
]
