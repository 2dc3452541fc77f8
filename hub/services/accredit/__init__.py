"""Plays what a partner checks before going live, with real orders, and reports every step."""
