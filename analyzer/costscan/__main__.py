"""`python -m costscan`: the command line."""

from costscan.cli import main

main()
