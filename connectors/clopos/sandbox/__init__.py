"""Clopos as its documentation describes it, for `make run`, tests and users."""

from connectors.clopos.sandbox.app import CloposSandbox, create_app, load_seed

__all__ = ["CloposSandbox", "create_app", "load_seed"]
