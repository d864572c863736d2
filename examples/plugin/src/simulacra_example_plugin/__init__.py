"""A model and a datatype from outside, coming in by the same door as the built-in ones."""
