"""Ways to send requests: as message batches, or one by one."""
