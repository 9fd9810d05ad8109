"""One story per module; its `tell()` plays it and its name is the name of the folder it fills."""
