"""Text that a person reads: numbers, tables, and what must never reach a screen raw."""
