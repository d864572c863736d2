"""Kinds of columns: values to features and back."""
