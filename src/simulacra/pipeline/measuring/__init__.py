"""What is counted and joined of a dataset's tables to measure them."""
