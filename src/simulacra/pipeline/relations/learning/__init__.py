"""Learns a whole database: counts and kinds go up, then each table is learned by itself."""
