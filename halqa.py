"""The `halqa` command: hands over to the service that is meant, so that neither service knows the other."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["lms"]:
        from lms.cli import main as run_lms  # noqa: PLC0415 - neither service loads the other's code

        return run_lms(given[1:])
    from control_api.cli import main as run_media  # noqa: PLC0415

    return run_media(given)


if __name__ == "__main__":
    raise SystemExit(main())
