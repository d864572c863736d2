"""Masking a dataset: the same rows, with pseudonyms where they lead to people, and keys mapped."""
