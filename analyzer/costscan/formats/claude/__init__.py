"""What only the logs of Claude clients hold: lines, task names, sub-agents, recorded costs."""
