"""Measures of a synthetic table against a real one."""
