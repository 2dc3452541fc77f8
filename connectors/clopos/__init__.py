"""Clopos, a point of sale."""
