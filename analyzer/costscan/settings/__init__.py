"""Settings: their keys, values from TOML and the command line, and where they come from."""
