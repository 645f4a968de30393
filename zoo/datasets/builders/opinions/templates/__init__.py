"""The templates of `opinions`: of each kind a module with one template a line; see `grammar` for their form."""

from collections.abc import Mapping

from zoo.datasets.builders.opinions.templates import (
    absence,
    comparison,
    conditional,
    contrast,
    double_negation,
    exclamation,
    expectation,
    implication,
    intensifier,
    negation,
    plain,
    question,
    scope,
    spelling,
    understatement,
)

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "plain": plain.TEMPLATES,
    "negation": negation.TEMPLATES,
    "double negation": double_negation.TEMPLATES,
    "contrast": contrast.TEMPLATES,
    "understatement": understatement.TEMPLATES,
    "comparison": comparison.TEMPLATES,
    "conditional": conditional.TEMPLATES,
    "question": question.TEMPLATES,
    "exclamation": exclamation.TEMPLATES,
    "intensifier": intensifier.TEMPLATES,
    "scope": scope.TEMPLATES,
    "expectation": expectation.TEMPLATES,
    "absence": absence.TEMPLATES,
    "implication": implication.TEMPLATES,
    "spelling": spelling.TEMPLATES,
}
"""Of each kind its templates, one for each pair of sentences."""
