"""What the formats of the Messages API hold: messages, requests, streams, proxy bodies."""
