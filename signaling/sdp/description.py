"""What one SDP says, as values: the result of parsing, before any decision (RFC 8866, RFC 9429)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from media.rtp.parameters import Fingerprint, IceCredentials, Mid, PayloadType, Rid, Ssrc


class Direction(enum.Enum):
    """Who sends, seen from the author of the line (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the author of the line sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the author of the line receives."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)


class Setup(enum.Enum):
    """Who opens the DTLS association (RFC 4145, RFC 8842)."""

    ACTPASS = "actpass"
    ACTIVE = "active"
    PASSIVE = "passive"
    HOLDCONN = "holdconn"


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """One payload type of an m= line with its a=rtpmap, a=fmtp and a=rtcp-fb lines."""

    payload_type: PayloadType
    name: str
    """As written; encoding names compare without case."""
    clock_rate_hz: int
    channels: int
    parameters: Mapping[str, str]
    """a=fmtp: names in lower case; a parameter without "=" has the value ""."""
    feedback: tuple[str, ...]
    """a=rtcp-fb values in order, those for "*" included, e.g. "nack pli"."""


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    """a=extmap (RFC 8285 section 5). The extension attributes that may follow the URI are not kept."""

    id: int
    uri: str
    direction: Direction = Direction.SENDRECV


@dataclass(frozen=True, slots=True)
class RidLine:
    """a=rid (RFC 8851 section 10)."""

    rid: Rid
    sends: bool
    """True for "send", False for "recv", seen from the author."""
    payload_types: tuple[PayloadType, ...]
    """Of the pt= restriction; empty: all of the section."""
    restrictions: Mapping[str, str]
    """All the others, e.g. max-width; a restriction without "=" has the value ""."""


@dataclass(frozen=True, slots=True)
class SimulcastEncoding:
    """One rid in a=simulcast, and whether it starts paused ("~", RFC 8853 section 5.1)."""

    rid: Rid
    paused: bool = False


SimulcastStream = tuple[SimulcastEncoding, ...]
"""One simulcast stream: its alternatives, the most wanted first; at least one."""


@dataclass(frozen=True, slots=True)
class Simulcast:
    """a=simulcast (RFC 8853)."""

    send: tuple[SimulcastStream, ...]
    receive: tuple[SimulcastStream, ...]


@dataclass(frozen=True, slots=True)
class MediaStreamId:
    """a=msid (RFC 8830): the MediaStream ("-" for none) and the track, which newer offers leave out."""

    stream: str
    track: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """All a=ssrc lines of one SSRC (RFC 5576): its attributes, e.g. cname; one without ":" has the value ""."""

    ssrc: Ssrc
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """a=ssrc-group (RFC 5576): FID pairs media with retransmissions, SIM lists the encodings of old simulcast."""

    semantics: str
    ssrcs: tuple[Ssrc, ...]


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """a=candidate (RFC 8839 section 5.1), grammar checked. An ICE-lite server connects to none of them."""

    foundation: str
    component: int
    transport: str
    """In lower case: "udp" or "tcp", or something newer."""
    priority: int
    address: str
    """IPv4, IPv6 or a name (browsers hide theirs behind "<uuid>.local")."""
    port: int
    type: str
    """host, srflx, prflx, relay, or something newer."""
    attributes: Mapping[str, str]
    """What follows the type in pairs: raddr, rport, tcptype, generation, ufrag ..."""


@dataclass(frozen=True, slots=True)
class TransportLines:
    """What a section says of its transport; what it leaves out is taken from the session level."""

    ice: IceCredentials | None
    ice_options: frozenset[str]
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup | None
    rtcp_mux: bool
    rtcp_reduced_size: bool
    candidates: tuple[RemoteCandidate, ...]
    end_of_candidates: bool


@dataclass(frozen=True, slots=True)
class StreamLines:
    """What a section says of the streams its author sends."""

    msids: tuple[MediaStreamId, ...]
    sources: tuple[Source, ...]
    source_groups: tuple[SourceGroup, ...]
    rids: tuple[RidLine, ...]
    simulcast: Simulcast | None


@dataclass(frozen=True, slots=True)
class MediaLine:
    """m= as written, for the answer has to repeat it."""

    number: int
    """Of the line in the text, from 1."""
    media: str
    port: int
    protocol: str
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m= section."""

    index: int
    """From 0; a section keeps it for ever."""
    line: MediaLine
    mid: Mid | None
    direction: Direction
    bundle_only: bool
    transport: TransportLines
    formats: tuple[PayloadFormat, ...]
    """In order of preference; payload types without a=rtpmap are left out: the static ones are no use here."""
    extensions: tuple[HeaderExtension, ...]
    extmap_allow_mixed: bool
    """Said here or for the whole session."""
    streams: StreamLines
    sctp_port: int | None


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """One SDP. Mids are unique in it, and so are payload types and extension ids within a section."""

    session_id: str
    version: int
    """Of the o= line."""
    ice_lite: bool
    extmap_allow_mixed: bool
    """Said for the whole session."""
    bundle_groups: tuple[tuple[Mid, ...], ...]
    """a=group:BUNDLE; every mid in them is of a section."""
    sections: tuple[MediaSection, ...]
