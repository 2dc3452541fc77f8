"""Desktop Kitchen, a cloud point of sale from Mexico whose prices include tax."""
