"""Readers of users' files: tables, texts in directories, sentence pairs, captions, videos and features."""
