"""The embedded data sets, as TFDS builders."""
