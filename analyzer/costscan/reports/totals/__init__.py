"""Totals, shown: a table on the terminal, a JSON document."""
