"""The string below a field of a struct, as text: what it means, for the OpenAPI document."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache


@cache
def describe_fields(shape: type) -> dict[str, str]:
    """Return the descriptions of a class's fields, inherited ones too; none where the source is not at hand."""
    found: dict[str, str] = {}
    for each in reversed(shape.__mro__):
        found |= _own(each)
    return found


def describe_class(shape: type) -> str:
    """Return the docstring without its indentation."""
    return inspect.cleandoc(shape.__doc__ or "")


def _own(shape: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(shape))
    except (OSError, TypeError):
        return {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef), "the source of a class is a class"
    found: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        text = _text(following)
        if text is None:
            continue
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = text
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = text
    return found


def _text(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return inspect.cleandoc(value) if isinstance(value, str) else None
    return None
