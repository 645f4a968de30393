"""Recipes: one file a task, one story from data to export."""
