"""What the formats of OpenAI's clients and APIs hold: items, usage."""
