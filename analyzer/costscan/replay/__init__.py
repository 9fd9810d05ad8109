"""The prompt cache, replayed: what happened, to see how well it is understood, and what would have."""
