"""The embedded data sets: TFDS builders that generate their examples, without a download.

Importing this package registers them with TFDS under the names `clips`, `dates`, `fluent`, `footage`,
`negation`, `negation_zh`, `notices`, `opinions` and `scenes`.
"""

from zoo.datasets.builders.clips import Clips
from zoo.datasets.builders.dates import Dates
from zoo.datasets.builders.fluent import Fluent
from zoo.datasets.builders.footage import Footage
from zoo.datasets.builders.negation import Negation, NegationZh
from zoo.datasets.builders.notices import Notices
from zoo.datasets.builders.opinions import Opinions
from zoo.datasets.builders.scenes import Scenes

__all__ = ["Clips", "Dates", "Fluent", "Footage", "Negation", "NegationZh", "Notices", "Opinions", "Scenes"]
