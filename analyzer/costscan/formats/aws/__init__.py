"""What logs of Amazon Bedrock hold: records in wrappers, bodies of its Converse API."""
