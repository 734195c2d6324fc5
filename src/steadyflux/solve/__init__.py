"""Solvers: linear systems, steady states and transients."""
