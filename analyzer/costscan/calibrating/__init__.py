"""Counting texts of a log by the API, and what follows for the estimates of texts like them.

A sample of the texts is drawn (`sampling`), counted in both families of tokenizers (`requests`, `counting`),
and compared with the estimates (`fitting`); `file` writes what `costscan.settings` reads.
"""
