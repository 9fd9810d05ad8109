"""costscan: where the money of LLM agent runs went, why, and what each fix would have saved."""

__version__ = "0.1.0"
