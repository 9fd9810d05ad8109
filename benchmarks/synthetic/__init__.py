"""Synthetic Claude Code transcripts: text, tools, usage, lines, sessions."""
