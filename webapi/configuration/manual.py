"""The manual's table of settings, made from their declarations: path, flag, default, and what its docstring says."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from webapi.configuration.settings_tree import SettingsTree, is_section, settings_fields
from webapi.configuration.show import show_value

IMPLIED: Final = {
    "_burst": "So many at once; the rate beside it counts after that.",
    "_per_s": "So many a second in the long run.",
}
"""What is said of the second half of a pair: its first half has the docstring."""
OF_THIS_COMPUTER: Final = "of this computer"
REQUIRED: Final = "must be set"


def settings_table(tree: SettingsTree[Any], flags: Mapping[str, str]) -> str:
    """Return the table in Markdown; `flags` maps paths to the flags that stand for them."""
    rows = [
        f"| `{path}` | {f'`{flags[path]}`' if path in flags else ''} | {_default_of(field)} | {meaning} |"
        for path, field, meaning in _walk(tree.root, ())
    ]
    return "\n".join(["| setting | flag | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _walk(owner: type[Any], parents: tuple[str, ...]) -> Iterator[tuple[str, dataclasses.Field[Any], str]]:
    fields = list(settings_fields(owner))
    meanings = _meanings(owner)
    for field, annotation in fields:
        if not is_section(annotation):
            meaning = meanings.get(field.name) or _implied(field.name)
            yield ".".join((*parents, field.name)), field, meaning.replace("|", "\\|")
    for field, annotation in fields:
        if is_section(annotation):
            yield from _walk(annotation, (*parents, field.name))


def _implied(name: str) -> str:
    return next((meaning for end, meaning in IMPLIED.items() if name.endswith(end)), "")


def _meanings(owner: type[Any]) -> dict[str, str]:
    """Return the docstrings of a dataclass's fields: they stand behind them in the source, and nowhere else."""
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(declared, ast.ClassDef)
    meanings = {}
    for field, text in zip(declared.body, declared.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            meanings[field.target.id] = " ".join(str(text.value.value).split())
    return meanings


def _default_of(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{show_value(field.default, secret=not field.repr)}`"
    return REQUIRED if field.default_factory is dataclasses.MISSING else OF_THIS_COMPUTER
