"""Where the endpoint for AI agents is; apart from it, because the protocol's SDK takes its time to load."""

PATH = "/api/mcp"
