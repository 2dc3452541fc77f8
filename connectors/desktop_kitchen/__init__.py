"""Desktop Kitchen, a point of sale."""
