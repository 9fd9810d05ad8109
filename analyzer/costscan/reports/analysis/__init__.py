"""Reports on one analysis, one ending a file."""
