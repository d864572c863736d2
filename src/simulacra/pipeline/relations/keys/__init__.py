"""From keys to row numbers: which parent each row refers to."""
