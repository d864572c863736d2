"""Reading databases: what they declare, and their rows."""
