"""Rows that are wanted in a certain way: some of their values given, the rest drawn."""
