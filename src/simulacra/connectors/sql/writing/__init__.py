"""Writing databases: what is to be made, and how rows get in."""
