"""Pairs rows with parents, and moves pairs and values apart: compiled kernels."""
