"""Reads the project's own source: files, imports, and code without its comments and docstrings."""

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def python_files(*folders: str) -> list[Path]:
    """All Python files below these folders of the project, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    """The dotted name of a file of the project."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(dotted: str) -> bool:
    """Whether the project has a module or package of this name."""
    path = ROOT.joinpath(*dotted.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imported(source: str) -> set[str]:
    """Every module a source imports: `from x import y` as `x.y` where that is a module of ours."""
    found: set[str] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {name if is_module(name := f"{base}.{alias.name}") else base for alias in node.names}
    return found


def names_imported(source: str, module: str) -> set[str]:
    """What `from module[.…] import …` takes from a package; `*` for a plain `import`."""
    found: set[str] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.ImportFrom) and _is_within(node.module or "", module):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import) and any(_is_within(alias.name, module) for alias in node.names):
            found.add("*")
    return found


def _is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def code_tokens(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every token but comments and strings that stand alone as a statement (docstrings)."""
    bare = [
        (node.value.lineno, node.value.end_lineno or node.value.lineno)
        for node in ast.walk(_parsed(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            continue
        line = token.start[0]
        if token.type == tokenize.STRING and any(first <= line <= last for first, last in bare):
            continue
        yield line, token.string


def strings(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string constant that is not a docstring."""
    tree = _parsed(source)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.lineno, node.value


def attributes(source: str) -> set[str]:
    """Every `name.attribute` with a plain name before the point."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(_parsed(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
