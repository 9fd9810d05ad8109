"""The prompt cache: what happened, what could have been read, and why it was not."""
