"""Trials: calls that would go to another model are sent to it, and its answers are compared."""
