"""The connector of an imagined POS, as a package of its own: what docs/adding-a-connector.md shows."""
