"""What must hold between the columns of a table, made impossible to break."""
