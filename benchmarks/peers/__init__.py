"""Simulacra beside its peers: every contender on every data set, each in a process of its own."""
