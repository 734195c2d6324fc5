"""Lets `python -m steadyflux` be the command line."""

import sys

from steadyflux.cli import main

if __name__ == "__main__":
    sys.exit(main())
