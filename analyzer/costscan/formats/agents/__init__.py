"""What logs of other agents than Claude Code have in common: runs told message by message."""
