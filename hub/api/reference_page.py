"""The reference as one page of HTML, made from the OpenAPI document; it loads nothing and runs nothing."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #0a6c74; }
@media (prefers-color-scheme: dark) { :root { --accent: #5cc7d0; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 60rem; }
h1 { margin: .5rem 0; } h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; } p { margin: .5rem 0; } a { color: var(--accent); }
code, pre { font: .875em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); border-radius: .5rem; padding: .75rem; overflow-x: auto; white-space: pre-wrap; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: 0 .75rem; }
summary { cursor: pointer; padding: .6rem 0; overflow-wrap: anywhere; } summary b { color: var(--accent); }
dl { margin: 0; } dt { margin-top: .5rem; } dd { margin: 0 0 0 1rem; } nav a { margin-right: 1rem; }
.soft { opacity: .75; }
"""
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: its own style by hash, and nothing else."""
_CODE = re.compile(r"`([^`]+)`")


def page(document: Mapping[str, Any], *, address: str) -> str:
    """The whole page; `address` is where the document itself is."""
    info = document["info"]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(info['title'])}</h1>{_words(info['description'])}",
            f'<p>For programs: <a href="{escape(address)}">{escape(address)}</a> (OpenAPI {document["openapi"]}). '
            f"All paths begin with <code>{escape(document['servers'][0]['url'])}</code>.</p>",
            _keys_and_limits(document),
            '<nav aria-label="Contents"><p>',
            *(f'<a href="#{escape(tag["name"])}">{escape(tag["name"])}</a> ' for tag in document["tags"]),
            '<a href="#errors">errors</a> <a href="#schemas">schemas</a></p></nav><main>',
            *_sections(document),
            '<h2 id="errors">errors</h2>',
            *(_error(name, answer) for name, answer in document["components"]["responses"].items()),
            '<h2 id="schemas">schemas</h2>',
            *(_schema(name, schema) for name, schema in document["components"]["schemas"].items()),
            "</main></body></html>",
        )
    )


def _keys_and_limits(document: Mapping[str, Any]) -> str:
    limits = document["components"]["responses"]["TooManyRequests"]["headers"]
    return (
        "<p>Send an API key as <code>Authorization: Bearer sk_…</code>. Every answer says where the caller stands:</p>"
        f"<dl>{''.join(_entry(name, '', header['description']) for name, header in limits.items())}</dl>"
    )


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>'
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method}</b> <code>{escape(path)}</code><br>'
        f'<span class="soft">{escape(operation["summary"])}</span></summary>{_words(operation["description"])}'
    ]
    if operation["parameters"]:
        parts += ["<h3>Parameters</h3><dl>", *map(_parameter, operation["parameters"]), "</dl>"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        parts.append(f"<h3>Body</h3><p>{_kind(body['schema'])}</p>")
        if "example" in body:
            parts.append(f"<pre>{escape(json.dumps(body['example'], indent=2))}</pre>")
    parts += ["<h3>Answers</h3><dl>", *(_response(*entry) for entry in operation["responses"].items())]
    return "".join((*parts, "</dl></details>"))


def _parameter(parameter: Mapping[str, Any]) -> str:
    kind = f"{parameter['in']}{', required' if parameter.get('required') else ''}, {_kind(parameter['schema'])}"
    return _entry(parameter["name"], kind, parameter["description"])


def _response(status: str, answer: Mapping[str, Any]) -> str:
    if "$ref" in answer:
        name = answer["$ref"].rpartition("/")[2]
        return f'<dt><b>{status}</b> <a href="#error-{escape(name)}">{escape(name)}</a></dt>'
    return f"<dt><b>{status}</b> {_kind(answer['content']['application/json']['schema'])}</dt>"


def _error(name: str, answer: Mapping[str, Any]) -> str:
    example = json.dumps(answer["content"]["application/json"]["example"], ensure_ascii=False)
    return (
        f'<h3 id="error-{escape(name)}">{escape(name)}</h3>{_words(answer["description"])}<pre>{escape(example)}</pre>'
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    fields = "".join(
        _entry(
            field,
            _kind(kind) + ("" if field in required else _default(kind)),
            kind.get("description", "") if isinstance(kind, dict) else "",
        )
        for field, kind in schema.get("properties", {}).items()
    )
    head = f'<details id="schema-{escape(name)}"><summary><b>{escape(name)}</b></summary>'
    return f"{head}{_words(schema.get('description', ''))}<dl>{fields}</dl></details>"


def _default(kind: Mapping[str, Any]) -> str:
    return f", or left out ({_json(kind['default'])})" if "default" in kind else ", or left out"


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, as HTML; named ones as links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(entry) for entry in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return _listed(schema.get("enum", (schema.get("const"),)))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if "items" in schema else "list"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    limits = [f"{words} {schema[name]}" for name, words in _LIMITS.items() if name in schema]
    examples = [f"e.g. {_json(schema['examples'][0])}"] if schema.get("examples") else []
    return ", ".join((str(schema.get("format", schema.get("type", "anything"))), *map(escape, limits), *examples))


_LIMITS = {"minimum": "at least", "maximum": "at most", "maxLength": "at most, in characters,", "maxItems": "at most"}


def _listed(values: Iterable[Any]) -> str:
    return " or ".join(_json(value) for value in values)


def _json(value: Any) -> str:
    return f"<code>{escape(json.dumps(value, ensure_ascii=False))}</code>"


def _entry(name: str, kind: str, words: str) -> str:
    """One name of a list; `kind` is HTML already."""
    detail = f"<dd>{_inline(words)}</dd>" if words else ""
    return f'<dt><code>{escape(name)}</code> <span class="soft">{kind}</span></dt>{detail}'


def _words(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
