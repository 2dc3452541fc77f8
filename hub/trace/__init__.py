"""Every call in or out becomes one row."""
