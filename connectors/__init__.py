"""One folder per vendor: the connector, its wire format, and a sandbox to play against."""
