"""Desibits as its documentation describes it, for `make run`, tests and users."""

from connectors.desibits.sandbox.app import DesibitsSandbox, create_app, load_seed

__all__ = ["DesibitsSandbox", "create_app", "load_seed"]
