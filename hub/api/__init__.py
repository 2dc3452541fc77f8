"""The outside face: one list of operations, from which REST (and later MCP) is made."""
