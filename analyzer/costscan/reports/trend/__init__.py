"""Reports of a trend: one file each."""
