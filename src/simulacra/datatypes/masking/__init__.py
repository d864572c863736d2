"""Masking: each value becomes another of its own form, by a secret key and nothing else."""
