"""What one direction of a link does to packets at one time, as a value."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

DELAY_S_MAX: Final = 10.0
"""Of delay, jitter, hold and queue each: what the relay holds back is bounded by the traffic of these seconds."""
QUEUE_S: Final = 0.3  # the drop-tail queue of a home router at its uplink: a few hundred ms
HOLD_S: Final = 0.04  # longer than any gap between packets of live media, so that the held one is really overtaken


class Target(enum.Enum):
    """Which packets chance may hit: a test of media need not wait for repeated handshakes."""

    ALL = "all"
    MEDIA = "media"
    """RTP and RTCP (RFC 7983: first byte 128 to 191)."""
    RTP = "rtp"


@dataclass(frozen=True, slots=True)
class Burst:
    """The Gilbert-Elliott model: two states, each with its own loss, changed by chance at each packet."""

    enter: float
    """Chance to go from good to bad before a packet."""
    leave: float
    """Chance to go from bad to good; mean length of a bad time in packets is its inverse."""
    bad_loss: float = 1.0
    good_loss: float = 0.0

    @classmethod
    def of_mean(cls, loss: float, length: float) -> Burst:
        """Return the model with this mean loss in runs of this mean length, in packets (Gilbert's: all or nothing)."""
        leave = 1 / length
        return cls(enter=min(1.0, leave * loss / (1 - loss)), leave=leave)


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares are 0 to 1; `Profile()` lets everything through at once."""

    loss: float = 0.0
    """Share that is lost, each packet by itself."""
    burst: Burst | None = None
    """Losses in runs, beside `loss`."""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Each packet waits a further time between 0 and this."""
    unordered: bool = False
    """Jitter may change the order; else a packet waits for those before it."""
    reorder: float = 0.0
    """Share that is held back for `hold_s` while later ones pass."""
    hold_s: float = HOLD_S
    rate_bps: float | None = None
    """Of IP packets: 28 bytes of IPv4 and UDP headers count."""
    queue_s: float = QUEUE_S
    """A packet that would wait longer than this at `rate_bps` is dropped (drop tail)."""
    duplicate: float = 0.0
    corrupt: float = 0.0
    """Share of which one bit is flipped."""
    mtu_bytes: int | None = None
    """Datagrams (UDP payload) above this are dropped."""
    blackout: bool = False
    only: Target = Target.ALL
    """Whom loss, bursts, reordering, duplication and corruption may hit. Delay, rate, MTU and blackout hit all."""
