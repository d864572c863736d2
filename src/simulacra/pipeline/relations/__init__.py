"""Tables that refer to each other: learned and drawn together."""
