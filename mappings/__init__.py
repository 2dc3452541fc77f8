"""Look-up tables and JSON Schemas: data only, a package so that it is found wherever the hub is installed."""
