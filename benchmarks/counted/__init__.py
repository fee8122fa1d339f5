"""What did the far end really see and hear? Writes video and sound in which every frame and second is numbered.

For Chromium's fake camera and microphone, and for whatever else reads raw files. Play it, record the far end, and let
`python -m benchmarks analyse` say what was lost on the way.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from benchmarks.counted.mark import PARTICIPANT_MAX
from benchmarks.counted.needs import Missing, need

FAILED: Final = 1
SECONDS_DEFAULT: Final = 12  # a whole period of the sound, so that both begin again together
SECONDS_MAX: Final = 3600
FRAMES_PER_SECOND_MAX: Final = 120
_EXAMPLES: Final = """\
examples:
  python -m benchmarks counted --out build/counted
  python -m benchmarks counted --out build/counted --height 360 --fps 15 --participant 3

It prints the flags with which Chromium takes the files as its camera and microphone.

exit codes:
  0  written
  1  could not write, or a package is missing; standard error says why
  2  wrong flags
"""


def main(arguments: list[str]) -> int:
    """Write both files, print Chromium's flags."""
    options = parse_arguments(arguments)
    try:
        need("numpy")
        from benchmarks.counted.raw import write_pictures, write_sound  # noqa: PLC0415  # numpy is in the test extra

        options.out.mkdir(parents=True, exist_ok=True)
        name = f"p{options.participant}-{options.height}p{options.fps}-{options.seconds}s"
        pictures, sound = options.out / f"{name}.y4m", options.out / f"{name}.wav"
        print(f"counted: drawing {options.seconds * options.fps} pictures", file=sys.stderr, flush=True)
        write_pictures(
            pictures,
            height=options.height,
            frames_per_second=options.fps,
            seconds=options.seconds,
            participant=options.participant,
        )
        write_sound(sound, seconds=options.seconds, participant=options.participant)
    except (Missing, OSError, ValueError) as error:
        print(f"counted: {error}", file=sys.stderr)
        return FAILED
    print(
        "--use-fake-ui-for-media-stream --use-fake-device-for-media-stream "
        f"--use-file-for-fake-video-capture={pictures} --use-file-for-fake-audio-capture={sound}"
    )
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks counted",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the files go")
    parser.add_argument("--height", type=whole(18, 4320), default=720, help="even; width is 16:9; default 720")
    parser.add_argument("--fps", type=whole(1, FRAMES_PER_SECOND_MAX), default=30, help="frames a second; default 30")
    parser.add_argument(
        "--seconds",
        type=whole(1, SECONDS_MAX),
        default=SECONDS_DEFAULT,
        help=f"default {SECONDS_DEFAULT}: sound repeats after so long; players begin again at the end of a file",
    )
    parser.add_argument("--participant", type=whole(0, PARTICIPANT_MAX), default=0, help="a number; default 0")
    return parser.parse_args(arguments)


class whole:  # noqa: N801  # reads as a type in `type=`
    """A whole number within bounds, for argparse."""

    def __init__(self, lowest: int, highest: int) -> None:
        self._lowest, self._highest = lowest, highest

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or not self._lowest <= int(text) <= self._highest:
            raise argparse.ArgumentTypeError(f"{text!r}: expected {self._lowest} to {self._highest}")
        return int(text)
