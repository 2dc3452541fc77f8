"""Tries the hub with other people's MCP clients and with the protocol's own conformance suite: `make conformance`."""
