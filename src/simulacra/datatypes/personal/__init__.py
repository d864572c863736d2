"""Personal data: found by checksums, forms and words, made anew, never copied."""
