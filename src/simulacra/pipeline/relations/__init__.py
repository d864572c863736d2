"""Tables that refer to each other: keys to rows, rows to parents, parents to their children."""
