"""Write a module's next migration: `python -m lms.database.draft MODULE WORDS...`, e.g. `courses first tables`.

It brings a fresh SQLite database up to date by the migrations that there are, compares it with the module's
`tables.py`, and writes what is missing to `lms/MODULE/migrations/NNNN_WORDS.py`. Read it before you commit it: renames
look like a column gone and another come, and what is already stored may need moving.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateTableOp, DowngradeOps, UpgradeOps
from sqlalchemy import URL, MetaData, Table, create_engine

from lms.database import types
from lms.database.migrate import LMS, migrations, upgrade
from lms.database.tables import APPEND_ONLY, METADATA, TENANT

_IMPORTS: Final = '''\
"""{sentence}"""

import sqlalchemy as sa
from alembic import op

from lms.database.protect import protect
from lms.database.types import {types}

revision = "{revision}"
down_revision = {down}
branch_labels = {labels}
depends_on = {depends}


def upgrade() -> None:
'''


_TYPES: Final = ("BYTES", "INTEGER", "TEXT", "Exact", "Flag", "Id", "Json", "Time")


def main(arguments: Sequence[str]) -> int:
    """Write the file and print its name."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    module, words = arguments[0], arguments[1:]
    print(write_migration(module, words))
    return 0


def import_tables() -> None:
    """Import the tables of every module, so that the metadata knows them."""
    for path in sorted(LMS.glob("*/tables.py")):
        importlib.import_module(f"lms.{path.parent.name}.tables")


def write_migration(module: str, words: Sequence[str]) -> Path:
    """Return the file that was written."""
    import_tables()
    tables = {table.name for table in METADATA.tables.values() if _module_of(table) == module}
    with tempfile.TemporaryDirectory() as folder:
        url = URL.create("sqlite", database=str(Path(folder) / "draft.sqlite"))
        upgrade(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "include_name": lambda name, kind, _parents: kind != "table" or name in tables,
                    "include_object": lambda each, name, kind, _reflected, _to: (
                        (name if kind == "table" else each.table.name) in tables
                    ),
                },
            )
            script = produce_migrations(context, _reached(tables))
            assert script.upgrade_ops is not None
            assert script.downgrade_ops is not None
            up, down = (_code(each, context) for each in (script.upgrade_ops, script.downgrade_ops))
        engine.dispose()
    folder_of_module = LMS / module / "migrations"
    folder_of_module.mkdir(exist_ok=True)
    earlier = sorted(path.stem for path in folder_of_module.glob("[0-9]*.py"))
    number = f"{len(earlier) + 1:04}"
    path = folder_of_module / f"{number}_{'_'.join(words)}.py"
    used = sorted(name for name in _TYPES if re.search(rf"\b{name}\b", up + down))
    head = _IMPORTS.format(
        sentence=" ".join(words).capitalize() + ".",
        types=", ".join(used),
        revision=f"{module}_{number}",
        down=f'"{module}_{len(earlier):04}"' if earlier else "None",
        labels="None" if earlier else f'("{module}",)',
        depends="None" if earlier else _depends(tables, module),
    )
    protected = "".join(_protection(each) for each in _created(script.upgrade_ops))
    path.write_text(f"{head}{up}\n{protected}\n\ndef downgrade() -> None:\n{down}\n", encoding="utf-8")
    for task in (["format", "--quiet"], ["check", "--fix", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *task, str(path)], check=False)  # noqa: S603 - our own file
    return path


def _code(operations: UpgradeOps | DowngradeOps, context: MigrationContext) -> str:
    text = render_python_code(operations, render_as_batch=True, render_item=_render, migration_context=context)
    return re.sub(r"^ *# ###.*\n?|info=[{][^}]*[}],\n", "", text, flags=re.MULTILINE).rstrip()


def _module_of(table: Table) -> str:
    """Return which module declared a table: the one whose `tables` has it as a value."""
    for name, module in sys.modules.items():
        parts = name.split(".")
        if parts[0] == "lms" and parts[-1] == "tables" and len(parts) == 3 and table in vars(module).values():
            return parts[1]
    raise AssertionError(f"table {table.name} is no value of a module's tables.py")


def _reached(names: set[str]) -> MetaData:
    """Return these tables and those that they refer to: what else modules declare may not be whole yet."""
    found = MetaData(naming_convention=METADATA.naming_convention)
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found.tables:
            continue
        copy = METADATA.tables[name].to_metadata(found)
        waiting += [key.elements[0].target_fullname.partition(".")[0] for key in copy.foreign_key_constraints]
    return found


def _depends(tables: set[str], module: str) -> str:
    """Return the newest migrations of the modules that these tables refer to, and that of the roles."""
    reached = _reached(tables).tables
    others = {_module_of(METADATA.tables[name]) for name in reached}
    known = migrations()
    named = {known.get_revision(f"{other}@head") for other in (others | {"database"}) - {module}}
    return "(" + "".join(f'"{each.revision}", ' for each in sorted(named, key=lambda each: each.revision)) + ")"


def _created(operations: UpgradeOps) -> Iterable[str]:
    return [each.table_name for each in operations.ops if isinstance(each, CreateTableOp)]


def _protection(name: str) -> str:
    table = METADATA.tables[name]
    arguments = [f'"{name}"']
    if table.info[TENANT] is None:
        arguments.append("org_column=None")
    elif table.info[TENANT] != "org_id":
        arguments.append(f'org_column="{table.info[TENANT]}"')
    if table.info[APPEND_ONLY]:
        arguments.append("append_only=True")
    return f"    protect({', '.join(arguments)})\n"


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our types by their names; Alembic writes the rest."""
    if kind != "type":
        return False
    match item:
        case types.Choice():
            return "TEXT"
        case types.Exact():
            return f"Exact({item.precision}, {item.scale})"
        case types.Id() | types.Time() | types.Flag() | types.Json():
            return f"{type(item).__name__}()"
        case types.TEXT | types.INTEGER | types.BYTES:
            return next(name for name in ("TEXT", "INTEGER", "BYTES") if getattr(types, name) is item)
        case _:
            raise AssertionError(f"column type {item!r} is none of lms.database.types")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
