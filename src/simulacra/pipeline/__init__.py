"""From a source to a bundle, and from a bundle to a synthetic copy."""
