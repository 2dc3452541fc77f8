"""Desktop Kitchen as its server has been seen to behave, for `make run`, tests and users."""

from connectors.desktop_kitchen.sandbox.app import DesktopKitchenSandbox, create_app, load_seed
from connectors.desktop_kitchen.sandbox.options import Options

__all__ = ["DesktopKitchenSandbox", "Options", "create_app", "load_seed"]
