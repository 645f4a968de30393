"""SavedModels that include pre- and postprocessing, and the way back to a Keras model."""

from zoo.card import Card
from zoo.export.keras_models import load_keras_model, report_misfit, restore_weights
from zoo.export.litert import convert_to_litert
from zoo.export.saved_model import call_by_name, check_export_dir, export_model, name_example_files

__all__ = [
    "Card",
    "call_by_name",
    "check_export_dir",
    "convert_to_litert",
    "export_model",
    "load_keras_model",
    "name_example_files",
    "report_misfit",
    "restore_weights",
]
