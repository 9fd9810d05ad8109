"""Logs that are no files of this machine: objects of S3, Google Cloud Storage, Azure, and web addresses."""
