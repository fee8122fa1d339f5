"""What became of counted media in this recording: frames lost, doubled, late, freezes, sound against picture, SSIM?

Reads any file that FFmpeg reads, with pictures and sound as `python -m benchmarks counted` and the native publishers
make them. Frames between the first and the last counter that were seen count as lost if they never came.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from benchmarks.counted import whole
from benchmarks.counted.mark import FRAME_MAX, PARTICIPANT_MAX
from benchmarks.counted.needs import Missing, need

FAILED: Final = 1
SSIM_EVERY: Final = 10  # a picture of 720p takes a twentieth of a second
_EXAMPLES: Final = """\
examples:
  python -m benchmarks analyse class.webm
  python -m benchmarks analyse class.mp4 --participant 3 --loop 120 --json report.json
  python -m benchmarks analyse composite.mp4 --region 960,0,320,180
  python -m benchmarks analyse class.webm --max-lost 0 --max-freezes 0 --max-offset-ms 80

exit codes:
  0  analysed, within the limits that were given
  1  not readable, nothing counted in it, or a package is missing; standard error says why
  2  wrong flags
  3  beyond a limit
"""
BEYOND: Final = 3


def main(arguments: list[str]) -> int:
    """Print the report of a file."""
    options = parse_arguments(arguments)
    try:
        need("av", "numpy")
        return run(options)
    except (Missing, OSError, ValueError) as error:
        print(f"analyse: {error}", file=sys.stderr)
        return FAILED


def run(options: argparse.Namespace) -> int:
    """Read, analyse, print. Missing and ValueError say what is wrong with the file."""
    from benchmarks.counted.recording import Region, read_recording  # noqa: PLC0415  # PyAV and numpy are in the test extra
    from benchmarks.counted.report import analyse, format_report  # noqa: PLC0415

    recording = read_recording(
        options.file,
        participant=options.participant,
        likeness_every=options.ssim_every,
        region=None if options.region is None else Region(*options.region),
    )
    report = analyse(
        recording.frames,
        recording.heard,
        participant=options.participant,
        frames_per_second=options.fps,
        loop_frames=options.loop,
        freeze_s=options.freeze,
    )
    if not report.faults.seen and not report.heard:
        raise ValueError(f"{options.file} has no counted picture or sound in {len(recording.frames)} pictures")
    if recording.problem is not None:
        print(f"analyse: {options.file}: {recording.problem}", file=sys.stderr)
    print(format_report(report))
    if options.json is not None:
        options.json.write_text(json.dumps(report.figures(), indent=2) + "\n", encoding="utf-8")
    beyond = [
        f"{name} {found:g} > {limit:g}"
        for name, found, limit in (
            ("lost", len(report.faults.lost), options.max_lost),
            ("freezes", len(report.freezes), options.max_freezes),
            ("offset in ms", max((abs(one.offset_ms) for one in report.offsets), default=0.0), options.max_offset_ms),
        )
        if limit is not None and found > limit
    ]
    for sentence in beyond:
        print(f"analyse: {sentence}", file=sys.stderr)
    return BEYOND if beyond else FAILED if recording.problem else 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks analyse",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--participant", type=whole(0, PARTICIPANT_MAX), metavar="N", help="default: whose pictures these mostly are"
    )
    parser.add_argument("--fps", type=positive, metavar="N", help="of the source; default: told from the counters")
    parser.add_argument(
        "--loop",
        type=whole(1, FRAME_MAX),
        metavar="FRAMES",
        help="after which the counter begins again",
    )
    parser.add_argument(
        "--region",
        type=region,
        metavar="X,Y,W,H",
        help="the tile of a composite, in pixels; default: all of the picture",
    )
    parser.add_argument("--freeze", type=positive, metavar="SECONDS", help="default: max(3 frames, 1 frame + 0.15 s)")
    parser.add_argument(
        "--ssim-every", type=whole(0, FRAME_MAX), default=SSIM_EVERY, metavar="N", help=f"default {SSIM_EVERY}; 0: none"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.add_argument("--max-lost", type=whole(0, FRAME_MAX), metavar="N", help="more lost frames: exit code 3")
    parser.add_argument("--max-freezes", type=whole(0, FRAME_MAX), metavar="N", help="more freezes: exit code 3")
    parser.add_argument("--max-offset-ms", type=positive, metavar="MS", help="sound further away: exit code 3")
    return parser.parse_args(arguments)


def region(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no region: expected X,Y,W,H in pixels, like 0,0,320,180")
    return tuple(int(part) for part in parts)


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return value
