"""The endpoint for AI agents: the Model Context Protocol, and the short form of the OpenPOS page."""
