"""The ground every layer stands on: errors, constants, units, arithmetic, typing and files."""
