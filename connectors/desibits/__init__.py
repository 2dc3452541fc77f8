"""Desibits, a point of sale."""
