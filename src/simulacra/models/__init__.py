"""Algorithms that learn and draw the joint distribution of coded features."""
