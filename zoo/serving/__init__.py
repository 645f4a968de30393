"""Exported models by name: the model store, verification, the demo page."""
