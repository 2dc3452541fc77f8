"""Compares what a document shows with what really came out; `…` in the document stands for anything."""

import json
import re
from typing import Any


def differences(shown: Any, real: Any, path: str = "") -> list[str]:
    """Where a shown JSON value differs from the real one. A document may leave fields out, never add or change one."""
    if isinstance(shown, dict) and isinstance(real, dict):
        missing = [f"{path}.{name}: not in the answer" for name in shown if name not in real]
        inside = [differences(value, real[name], f"{path}.{name}") for name, value in shown.items() if name in real]
        return missing + [entry for entries in inside for entry in entries]
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        pairs = enumerate(zip(shown, real, strict=True))
        return [entry for index, (one, other) in pairs for entry in differences(one, other, f"{path}[{index}]")]
    if isinstance(shown, str) and isinstance(real, str) and _fits(shown, real):
        return []
    return [] if shown == real and type(shown) is type(real) else [f"{path}: shown {shown!r}, really {real!r}"]


def json_in(output: str) -> Any:
    """The JSON that a command printed, after headers if it showed any; raises `ValueError` without one."""
    start = re.search(r"^[\[{]", output, re.MULTILINE)
    if start is None:
        raise ValueError(f"no JSON in {output!r}")
    value, _ = json.JSONDecoder().raw_decode(output[start.start() :])
    return value


def lines_missing(shown: str, output: str) -> list[str]:
    """The shown lines that were not printed, blanks at the end aside."""
    real = [line.rstrip() for line in output.splitlines()]
    return [line for line in shown.splitlines() if not any(_fits(line.rstrip(), candidate) for candidate in real)]


def _fits(shown: str, real: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in shown.split("…")), real) is not None
