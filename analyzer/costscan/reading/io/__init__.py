"""Files as lines, lines as JSON, rows as tables."""
