"""Reading log lines into calls and blocks: what the formats in `costscan.formats` share."""
