"""What a run is told: the command line as values, refused early where it cannot be meant."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.counted.clip import SIMULCAST, Codec
from benchmarks.load.clips import Layers
from media.transport.keys import SrtpProfile

PROFILES: Final = {
    "gcm": SrtpProfile.AEAD_AES_128_GCM,
    "cm": SrtpProfile.AES128_CM_SHA1_80,
    "gcm256": SrtpProfile.AEAD_AES_256_GCM,
}
CODECS: Final = {"vp8": Codec.VP8, "h264": Codec.H264}
PEERS_MAX: Final = 20_000
NO_GSO: Final = ("media.gso=false",)
HEIGHT_USUAL: Final = 720


@dataclass(frozen=True, slots=True)
class Address:
    """The server under test; without URL and endpoints one is started."""

    server: str | None = None
    data: Path | None = None
    """Its data folder, where its keys are."""
    key: str | None = None
    """ID:SECRET instead."""
    whip: str | None = None
    whep: str | None = None
    bearer: str | None = None
    pid: int | None = None
    settings: tuple[str, ...] = ()
    """Of a server that is started: PATH=VALUE."""


@dataclass(frozen=True, slots=True)
class Options:
    """One run."""

    address: Address = field(default_factory=Address)
    rooms: int = 1
    publishers: int = 1
    """In each room."""
    viewers: int = 100
    """In each room."""
    join_rate: float = 50.0
    duration_s: float = 30.0
    codec: Codec = Codec.VP8
    layers: Layers = Layers.SIMULCAST
    single_rid: str = "f"
    video_bps: int | None = None
    videos: int = 1
    sounds: int = 3
    height: int = HEIGHT_USUAL
    hidden: bool = False
    profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM
    loss: float = 0.0
    gro: bool = True
    find_max: bool = False
    step_s: float = 8.0
    json: Path | None = None


def parse_arguments(arguments: list[str], description: str, epilog: str) -> Options:
    """Return the options; ends the program with a sentence for what cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks load",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_where(parser)
    _add_what(parser)
    read = parser.parse_args(arguments)
    if (read.whip is None) != (read.whep is None):
        parser.error("--whip and --whep go together: one brings media in, the other takes them out")
    if read.whip is not None and (read.server or read.rooms != 1):
        parser.error("--whip and --whep name one room by themselves: neither --server nor --rooms goes with them")
    if read.server is not None and read.data is None and read.key is None and read.bearer is None:
        parser.error("--server needs --data (the server's data folder), --key ID:SECRET or --bearer TOKEN")
    if read.key is not None and ":" not in read.key:
        parser.error(f"--key is {read.key!r}, expected ID:SECRET")
    if read.gso == "off" and (read.server is not None or read.whip is not None):
        parser.error("--gso is of a server that is started: with --server or --whip it is the server's own setting")
    if read.rooms * (read.publishers + read.viewers) > PEERS_MAX:
        parser.error(f"{read.rooms * (read.publishers + read.viewers)} peers, expected at most {PEERS_MAX}")
    return Options(
        address=Address(
            server=read.server,
            data=read.data,
            key=read.key,
            whip=read.whip,
            whep=read.whep,
            bearer=read.bearer,
            pid=read.server_pid,
            settings=(*read.set, *NO_GSO) if read.gso == "off" else tuple(read.set),
        ),
        rooms=read.rooms,
        publishers=read.publishers,
        viewers=read.viewers,
        join_rate=read.join_rate,
        duration_s=read.duration,
        codec=CODECS[read.codec],
        layers=Layers.SIMULCAST if read.layers == "simulcast" else Layers.SINGLE,
        single_rid="f" if read.layers == "simulcast" else read.layers,
        video_bps=read.bitrate,
        videos=read.videos,
        sounds=read.sounds,
        height=read.height,
        hidden=read.hidden,
        profile=PROFILES[read.profile],
        loss=read.loss / 100,
        gro=read.gro == "on",
        find_max=read.find_max,
        step_s=read.step_seconds,
        json=read.json,
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("the server under test; without one of these a server is started")
    where.add_argument("--server", metavar="URL", help="of a Halqa server, e.g. http://127.0.0.1:8080")
    where.add_argument("--data", type=Path, metavar="DIR", help="its data folder: tokens are made with its first key")
    where.add_argument("--key", metavar="ID:SECRET", help="an API key instead of the folder")
    where.add_argument("--whip", metavar="URL", help="where publishers send to, of any server")
    where.add_argument("--whep", metavar="URL", help="where viewers watch")
    where.add_argument("--bearer", metavar="TOKEN", help="the token of all peers")
    where.add_argument("--server-pid", type=positive, metavar="PID", help="whose CPU time and memory are measured")
    where.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="a setting of the server that is started"
    )
    where.add_argument(
        "--gso",
        choices=["auto", "off"],
        default="auto",
        help="off: the server that is started sends each packet as a message of its own; default auto",
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("the school")
    what.add_argument("--rooms", type=positive, default=1, metavar="N", help="default 1")
    what.add_argument("--publishers", type=positive, default=1, metavar="N", help="in each room; default 1")
    what.add_argument("--viewers", type=positive, default=100, metavar="N", help="in each room; default 100")
    what.add_argument("--join-rate", type=above_zero, default=50.0, metavar="R", help="viewers a second; default 50")
    what.add_argument("--duration", type=above_zero, default=30.0, metavar="S", help="of measuring; default 30")
    what.add_argument("--codec", choices=list(CODECS), default="vp8", help="default vp8")
    what.add_argument(
        "--layers",
        choices=["simulcast", *SIMULCAST],
        default="simulcast",
        help="what a camera sends: three encodings, or one alone (180p, 360p, 720p); default simulcast",
    )
    what.add_argument("--bitrate", type=positive, metavar="BPS", help="of the highest encoding; default 1500000")
    what.add_argument("--videos", type=positive, default=1, metavar="N", help="pictures a viewer takes; default 1")
    what.add_argument("--sounds", type=positive, default=3, metavar="N", help="voices a viewer takes; default 3")
    what.add_argument(
        "--height",
        type=positive,
        default=HEIGHT_USUAL,
        metavar="H",
        help="of pictures as viewers want them; default 720",
    )
    what.add_argument("--hidden", action="store_true", help="viewers whom the others are not told of")
    what.add_argument("--profile", choices=list(PROFILES), default="gcm", help="SRTP cipher; default gcm")
    what.add_argument("--loss", type=percent, default=0.0, metavar="%", help="of what viewers get, dropped by them")
    what.add_argument(
        "--gro",
        choices=["on", "off"],
        default="on",
        help="take runs from the kernel as one (UDP GRO); off, the server pays for cutting them; default on",
    )
    what.add_argument(
        "--find-max",
        action="store_true",
        help="climb until loss is above 1 %% or p99 above 50 ms, in steps that are the smaller the fuller the computer "
        "is; above 800 in a room fewer join a second, whatever --join-rate says",
    )
    what.add_argument("--step-seconds", type=above_zero, default=8.0, metavar="S", help="of each step; default 8")
    what.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number above 0")
    return int(text)


def above_zero(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number above 0")
    return value


def percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 100.0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 to below 100")
    return value
