"""Content blocks: what they are, how large they are, what of them may be shown."""
