"""The OpenAPI document as one page of HTML to read: no script, nothing loaded, headings in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

import msgspec

Schema = Mapping[str, Any]

STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --get: #07508f; --write: #7a4a00; --end: #a3123a; }
@media (prefers-color-scheme: dark) { :root { --get: #8cc8ff; --write: #ffc56b; --end: #ff9db3; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; }
nav ul { columns: 18rem; list-style: none; padding: 0; }
section { border-block-start: 1px solid var(--line); margin-block-start: 2rem; }
article { border: 1px solid var(--line); border-radius: .5rem; margin-block: 1rem; padding: 0 1rem 1rem; }
h3 code { overflow-wrap: anywhere; }
.method { font-weight: 700; } .get { color: var(--get); } .delete { color: var(--end); }
.post, .put, .patch { color: var(--write); }
table { border-collapse: collapse; width: 100%; } caption { font-weight: 600; text-align: start; }
th, td { border-block-start: 1px solid var(--line); padding: .3rem .5rem; text-align: start; vertical-align: top; }
th { font-weight: 600; } .wide { overflow-x: auto; } :target { background: var(--soft); }
a.skip { position: absolute; inset-inline-start: -99rem; } a.skip:focus { position: static; }
"""

_CODE: Final = re.compile(r"`([^`]+)`")


def build_page(document: Mapping[str, Any], *, document_path: str = "/v1/openapi.json") -> str:
    """Return the page as UTF-8 text; `document_path` is where programs find the document."""
    title = escape(document["info"]["title"])
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            '<a class="skip" href="#content">Skip to the endpoints</a>',
            f"<header><h1>{title}</h1>{_prose(document['info']['description'])}",
            f'<p>For programs: <a href="{escape(document_path)}">the OpenAPI document</a>.</p></header>',
            f'<nav aria-label="Endpoints">{_contents(document)}</nav>',
            f'<main id="content">{"".join(_chapters(document))}{_schemas(document)}</main>',
            "</body></html>",
        )
    )


def _operations(document: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def _contents(document: Mapping[str, Any]) -> str:
    parts: list[str] = []
    for tag in document["tags"]:
        items = "".join(
            f'<li><a href="#{escape(each["operationId"])}">{escape(each["summary"])}</a></li>'
            for _, _, each in _operations(document, tag["name"])
        )
        if items:
            parts.append(f"<h2>{escape(tag['name'])}</h2><ul>{items}</ul>")
    return "".join(parts)


def _chapters(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        articles = "".join(_article(*each) for each in _operations(document, tag["name"]))
        if articles:
            yield f"<section><h2>{escape(tag['name'])}</h2>{_prose(tag['description'])}{articles}</section>"


def _article(method: str, path: str, operation: Mapping[str, Any]) -> str:
    name = escape(operation["operationId"])
    parts = [
        f'<article id="{name}" aria-labelledby="{name}-title"><h3 id="{name}-title">{escape(operation["summary"])}<br>',
        f'<code><span class="method {method}">{method.upper()}</span> {escape(path)}</code></h3>',
        _prose(operation.get("description", "")),
    ]
    if operation["parameters"]:
        rows = [
            (
                f"<code>{escape(each['name'])}</code>",
                each["in"] + (", required" if each["required"] else ""),
                _type(each["schema"]),
                _inline(each.get("description", "")),
            )
            for each in operation["parameters"]
        ]
        parts.append(_table("Parameters", ("Name", "Where", "Type", "Meaning"), rows))
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body: {_type(content['schema'])} as <code>{escape(media_type)}</code></p>")
    answers = [
        (f"<code>{status}</code>", _inline(each["description"]), ", ".join(_bodies(each)))
        for status, each in operation["responses"].items()
    ]
    parts.append(_table("Answers", ("Status", "Meaning", "Body"), answers))
    return "".join([*parts, "</article>"])


def _bodies(response: Mapping[str, Any]) -> Iterator[str]:
    for media_type, content in response.get("content", {}).items():
        shown = _type(content["schema"])
        yield shown if media_type == "application/json" else f"{shown} as <code>{escape(media_type)}</code>"


def _schemas(document: Mapping[str, Any]) -> str:
    parts = ["<section><h2>Schemas</h2>"]
    for name, schema in document["components"]["schemas"].items():
        parts.append(f'<article id="schema-{escape(name)}"><h3>{escape(name)}</h3>')
        parts.append(_prose(schema.get("description", "")))
        if "enum" in schema and "* `" not in schema.get("description", ""):
            parts.append(f"<p>{', '.join(f'<code>{escape(str(each))}</code>' for each in schema['enum'])}</p>")
        required = schema.get("required", ())
        rows = [
            (
                f"<code>{escape(field)}</code>",
                _type(inner),
                "required" if field in required else _default(inner),
                _inline(inner.get("description", "")),
            )
            for field, inner in schema.get("properties", {}).items()
        ]
        if rows:
            parts.append(_table("Fields", ("Name", "Type", "Default", "Meaning"), rows))
        parts.append("</article>")
    return "".join([*parts, "</section>"])


def _type(schema: Schema) -> str:
    """Say in a few words what a schema takes."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items', {}))}{_bounds(schema, 'minItems', 'maxItems')}"
        case "string":
            shown = {"date-time": "time"}.get(schema.get("format", ""), "text")
            return shown + _bounds(schema, "minLength", "maxLength")
        case "integer" | "number" as kind:
            shown = "whole number" if kind == "integer" else "number"
            return shown + _bounds(schema, "minimum", "maximum")
        case "boolean":
            return "true or false"
        case "object":
            inner = schema.get("additionalProperties")
            return f"object of {_type(inner)}" if isinstance(inner, Mapping) and inner else "object"
        case None:
            return "any value"
        case other:
            return escape(str(other))


def _bounds(schema: Schema, low: str, high: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least is None and most is None:
        return ""
    if most is None:
        return f", {least} or more"
    return f", {'at most' if least is None else f'{least} to'} {most}"


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return "may be left out"
    return f"<code>{escape(msgspec.json.encode(schema['default']).decode())}</code>"


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    # Wider than a phone, it is scrolled; by keyboard too, so it takes the focus and has a name.
    return f'<div class="wide" role="region" aria-label="{caption}" tabindex="0">{table}</div>'


def _prose(text: str) -> str:
    """Turn the little Markdown that descriptions use (paragraphs, `code`, lists) into HTML."""
    parts: list[str] = []
    for block in text.strip().split("\n\n"):
        plain, *items = re.split(r"^\* ", block, flags=re.MULTILINE)
        if plain.strip():
            parts.append(f"<p>{_inline(plain)}</p>")
        if items:
            parts.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
    return "".join(parts)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))
