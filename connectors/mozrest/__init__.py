"""Mozrest, which brings the guests of reservation systems to the hub and wants to hear what becomes of them."""
