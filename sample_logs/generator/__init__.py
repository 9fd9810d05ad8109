"""Plays agents against a small model of the API's billing and writes down the logs they leave."""
