"""The ways in which sequences go in and come out, as Keras models built from one `Encoder` and one `Decoder`.

one-to-many             one thing, such as an image, to a sequence: `OneToMany`
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
from zoo.formulations.one_to_many import OneToMany

__all__ = [
    "Decoder",
    "DelayedManyToMany",
    "Encoder",
    "ManyToOne",
    "OneToMany",
    "ScheduledSampling",
    "SmoothedCrossentropy",
    "teacher_forced",
]
