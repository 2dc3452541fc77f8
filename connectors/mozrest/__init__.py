"""Mozrest, which stands between reservation systems and points of sale."""
