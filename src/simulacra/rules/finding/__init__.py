"""The searches for rules, one module a kind."""
