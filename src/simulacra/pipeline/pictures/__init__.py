"""What the charts of a report show: aggregates over at least ten real rows, never single ones."""
