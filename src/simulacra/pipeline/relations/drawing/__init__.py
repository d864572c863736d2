"""Draws a whole database, parents first; of each table first the parents, then the columns."""
