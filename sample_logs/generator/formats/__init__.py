"""One short log of each format that other clients and tools write: a module a format, with a `tell()`."""
