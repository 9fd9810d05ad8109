"""Calls and messages of one agent, in the order in which they were sent."""
