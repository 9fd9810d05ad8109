"""What the formats of Gemini's API and clients hold: parts, usage, prompts."""
