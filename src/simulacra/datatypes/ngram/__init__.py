"""A word-level n-gram model of texts, compiled: tokens, counts, an automaton, drawing."""
