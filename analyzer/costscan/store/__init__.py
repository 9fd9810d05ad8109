"""The store: what reading made of logs, kept as Parquet by day and project, for reports and for queries."""
