"""Reports, one kind a file: each turns a summary into a terminal screen, a document or a table."""
