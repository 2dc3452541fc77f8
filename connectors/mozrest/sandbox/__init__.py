"""Mozrest and a reservation system as its documentation describes them, for `make run`, tests and users."""

from connectors.mozrest.sandbox.app import MozrestSandbox, create_app, load_seed

__all__ = ["MozrestSandbox", "create_app", "load_seed"]
