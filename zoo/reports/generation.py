"""Texts that a model generates for test examples, compared with reference texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.display import ShortRepr
from zoo.metrics import sentence_chrf
from zoo.reports.text_tables import write_table

NUM_TEXTS = 10
"""Number of the worst texts in the run directory, at most."""


@dataclass(frozen=True, repr=False)
class GenerationReport(ShortRepr):
    """Texts that a model generates for test examples.

    Attributes:
        inputs: what each text was generated for, such as the source sentence or the name of the image.
        texts: the generated texts.
        references: one or more reference texts of each.
        warnings: what is wrong with the model or the data, a sentence each.
        signatures: how metrics were computed, by their names: the signatures of sacrebleu.

    Example:
        >>> import tempfile, zoo
        >>> from pathlib import Path
        >>> report = zoo.reports.GenerationReport(("eins", "zwei"), ("one", "too"), (["one"], ["two"]))
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     report.save(Path(directory))
        ...     print(Path(directory, "worst.tsv").read_text().expandtabs(12), end="")
        chrF        input       generated   reference
        22.2        zwei        too         two
    """

    inputs: tuple[str, ...]
    texts: tuple[str, ...]
    references: tuple[Sequence[str], ...]
    warnings: tuple[str, ...] = ()
    signatures: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what stands on a card: the signatures, and nothing else, because the texts are examples."""
        return {"signatures": dict(self.signatures)} if self.signatures else {}

    def make_files(self) -> dict[str, bytes]:
        """Return the files of an export about the report: none."""
        return {}

    def save(self, directory: Path) -> None:
        """Write up to ten texts with the lowest chrF to `worst.tsv`, the worst first.

        Texts that are equal to a reference, but for spaces, are not among them.

        Args:
            directory: where the file goes. It contains examples: it belongs to the run directory, not to an
                export.
        """
        scores = sentence_chrf(self.texts, self.references)
        faulty = [row for row, score in enumerate(scores) if round(score, 1) < 100]
        worst = sorted(faulty, key=lambda row: scores[row])[:NUM_TEXTS]
        rows = [
            {
                "chrF": f"{scores[row]:.1f}",
                "input": self.inputs[row],
                "generated": self.texts[row],
                "reference": self.references[row][0],
            }
            for row in worst
        ]
        write_table(directory / "worst.tsv", rows)
