"""What two ends agreed on for one transport, one producer or one consumer: plain values, no protocol.

Signalling makes these from SDP and hands them to the engine; the engine never sees SDP.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

Mid = NewType("Mid", str)
Rid = NewType("Rid", str)
Ssrc = NewType("Ssrc", int)
PayloadType = NewType("PayloadType", int)

Address = tuple[str, int]
"""IP address (v4 dotted or v6 text) and UDP port."""


class MediaKind(enum.Enum):
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class RtpCodec:
    """One payload type of one section, with its retransmission payload type where negotiated (RFC 4588)."""

    name: str
    """Encoding name as registered, e.g. "VP8", "H264", "opus"; compared without case."""
    payload_type: PayloadType
    clock_rate_hz: int
    channels: int = 1
    fmtp: Mapping[str, str] = field(default_factory=dict)
    feedback: frozenset[str] = frozenset()
    """rtcp-fb values as written, e.g. {"nack", "nack pli", "ccm fir", "transport-cc"}."""
    rtx_payload_type: PayloadType | None = None
    red_payload_type: PayloadType | None = None
    """Of sound toward a viewer: packets that repeat those before them (RFC 2198), where negotiated."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """ICE username fragment and password of one side (RFC 8445 section 5.3)."""

    ufrag: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Certificate fingerprint (RFC 8122): algorithm in lower case, value as upper-case hex pairs with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What the peer told us about its end of a transport."""

    ice: IceCredentials
    fingerprints: tuple[Fingerprint, ...]
    extensions: Mapping[int, str]
    """Header extension id -> URI, for packets in both directions (BUNDLE: one table for all sections)."""
    awaits_dtls: bool = False
    """The peer insists on being the passive DTLS side (RFC 8842), so that we open the association."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One ICE host candidate of ours: UDP, component 1."""

    address: str
    port: int
    priority: int
    foundation: str


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """What the peer must be told about our end of a transport. We are ICE-lite, and passive in DTLS if it lets us."""

    ice: IceCredentials
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class EncodingParameters:
    """One encoding of a producer: a rid (RFC 8851), or SSRCs declared in signalling, or neither (mid alone)."""

    rid: Rid | None = None
    ssrc: Ssrc | None = None
    rtx_ssrc: Ssrc | None = None


@dataclass(frozen=True, slots=True)
class ProducerParameters:
    """A section on which the peer sends."""

    mid: Mid
    kind: MediaKind
    codecs: tuple[RtpCodec, ...]
    encodings: tuple[EncodingParameters, ...]
    """In the order the peer listed them (simulcast: lowest first, as browsers do by our SDK's convention q, h, f)."""


@dataclass(frozen=True, slots=True)
class ConsumerParameters:
    """A receive section (slot) of the peer: what it can take there."""

    mid: Mid
    kind: MediaKind
    codecs: tuple[RtpCodec, ...]
