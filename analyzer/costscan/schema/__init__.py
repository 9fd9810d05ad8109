"""The frames: their columns, types and meaning, and how they are checked."""
