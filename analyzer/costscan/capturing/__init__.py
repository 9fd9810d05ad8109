"""Log the calls that a program makes, as the program makes them: a line of a log per call."""
