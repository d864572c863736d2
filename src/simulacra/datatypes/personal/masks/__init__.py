"""How values of each kind are masked, a module for each family."""
