"""The kinds of personal data, a module for each family."""
