"""Reports of a comparison: one file each."""
