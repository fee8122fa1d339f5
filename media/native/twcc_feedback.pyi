"""Transport-wide feedback of a peer, read (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1)."""

from typing import NamedTuple

class Feedback(NamedTuple):
    """What a message tells: `ticks` are arrivals in 250 us from the `reference` (64 ms each), None for what is lost."""

    base: int
    reference: int
    ticks: tuple[int | None, ...]

def parse_feedback(packet: bytes) -> Feedback:
    """Return what an RTCP packet tells; raise MalformedPacket. What stands behind the last delta is padding."""
