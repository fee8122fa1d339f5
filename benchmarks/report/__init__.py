"""What did all these runs find: one page with tables and plots of the JSON files that benchmarks have written?

Takes the files (`--json`, and the relay's `--log`) of fanout, joins, load, api, relay, analyse and soak, or folders of
them. The page keeps computer, kernel and commit with every figure, and marks those of a computer that others used
meanwhile. It needs no network: plots are SVG of our own, light and dark, with their numbers beneath.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.report import html, markdown
from benchmarks.report.page import Page
from benchmarks.report.read import collect

EXIT_NOTHING: Final = 1

EXAMPLES: Final = """examples:
  python -m benchmarks report measured/
  python -m benchmarks report load-*.json api.json relay.jsonl --html monday.html --markdown monday.md --title Monday

Pictures of the Markdown page are in a folder beside it: monday-plots.

exit codes:
  0  written; files that no benchmark wrote, or that are broken, are named on the page and on standard error
  1  not written: no file could be used, or the page could not be written
  2  wrong flags
"""


def main(arguments: list[str]) -> int:
    """Write the pages."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks report",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a file, or a folder with files in it")
    parser.add_argument("--html", type=Path, metavar="FILE", help="default report.html, if --markdown is not given")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write this, too")
    parser.add_argument("--title", default="What was measured", help='default "What was measured"')
    options = parser.parse_args(arguments)
    if options.html is None and options.markdown is None:
        options.html = Path("report.html")
    try:
        return write(options)
    except OSError as error:
        print(f"benchmarks report: {error}", file=sys.stderr)
        return EXIT_NOTHING


def write(options: argparse.Namespace) -> int:
    """Read everything, write the pages. OSError."""
    collected = collect(options.paths)
    for one in collected.skipped:
        print(f"benchmarks report: skipped {one.path}: {one.reason}", file=sys.stderr)
    if not collected.sources:
        print("benchmarks report: no file of a benchmark among these, nothing written", file=sys.stderr)
        return EXIT_NOTHING
    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    page = Page(options.title, made_at, collected.sections, collected.sources, collected.skipped)
    if options.html is not None:
        options.html.write_text(html.render(page), encoding="utf-8")
        print(options.html)
    if options.markdown is not None:
        markdown.write(page, options.markdown)
        print(options.markdown)
    return 0
