"""Where a prompt departs from the one before it, and by what kind of value."""
