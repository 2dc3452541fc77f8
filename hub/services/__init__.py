"""The use cases: one file per thing a restaurant does. REST, MCP, console and command line call these."""
