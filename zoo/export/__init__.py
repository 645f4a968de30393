"""SavedModels that hold the whole program."""

from zoo.export.saved_model import Card, convert_to_litert, export_model

__all__ = ["Card", "convert_to_litert", "export_model"]
