"""The canonical vocabulary of the hub: values only, no input or output."""
