"""From one step of a model to whole sequences: greedy search, sampling, and beam search.

A search needs only a function `step(tokens, state)`, which returns the logits of each row's next token and
the state after the step. What a step needs but does not change, such as the memory of a decoder, the function
may hold itself. If the search passes it instead, as the argument `memory`, rows whose search has ended are left
out of the steps that the others need. A search is a `tf.while_loop` of core operations over all rows at once.
It runs eagerly and in graphs, for any number of rows, and is exported with the model. The result for a row does
not depend on the other rows.

All three searches take the same constraints, which forbid tokens, force them, or make them less probable:
`prefix`, `min_length`, `no_repeat_ngram_size`, `max_ngram_count`, `repetition_penalty` and `exact_counts`.
"""

from zoo.decoding.beam import beam_search
from zoo.decoding.constraints import count_most_frequent_ngram
from zoo.decoding.greedy import greedy_search
from zoo.decoding.loop import DecodingResult, Memory, State, Step
from zoo.decoding.sampling import sample

__all__ = [
    "DecodingResult",
    "Memory",
    "State",
    "Step",
    "beam_search",
    "count_most_frequent_ngram",
    "greedy_search",
    "sample",
]
