"""What an evaluation found: its scores, in figures, words and pictures."""
