"""Take migrations back: `python -m lms.database.back TARGET [halqa lms flags]`, e.g. `courses@-1 --data DIR`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lms.cli import build_parser, read_settings
from lms.database.database import database_url
from lms.database.migrate import downgrade


def main(arguments: Sequence[str]) -> int:
    """Run it; what does not fit the earlier tables is lost."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    settings = read_settings(build_parser().parse_args(arguments[1:])).settings
    downgrade(database_url(settings.database, settings.data), arguments[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
