"""What types mean, in every database and between them."""
