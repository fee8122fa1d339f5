"""What offer and server agree on, section by section: the result of negotiation, before the engine sees any of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.rtp.parameters import (
    ConsumerParameters,
    MediaKind,
    Mid,
    ProducerParameters,
    RemoteTransport,
    RtpCodec,
    Ssrc,
)
from signaling.sdp.description import HeaderExtension, MediaSection, RidLine, Setup, SimulcastStream

BOTH_KINDS = frozenset(MediaKind)


@dataclass(frozen=True, slots=True)
class NegotiationPolicy:
    """What the caller allows in an offer. A section beyond it is rejected; the others go on."""

    publish: frozenset[MediaKind] = BOTH_KINDS
    """Kinds on which the peer may send."""
    receive: frozenset[MediaKind] = BOTH_KINDS
    """Kinds for which the peer may have slots."""
    forbidden: frozenset[Mid] = field(default_factory=frozenset)
    """Sections that are rejected whatever they are."""
    publish_sections_max: int = 8
    """Microphone, camera, screen and screen audio, and room for as many again."""
    slots_max: int = 48
    """A wall of 7 x 6 pictures and some audio."""
    encodings_max: int = 4
    """Of one section. Browsers send three; the rest of a longer a=simulcast list is left out of the answer."""
    active_dtls: bool = False
    """Whether our side may open the DTLS association: FFmpeg's WHIP muxer insists (a=setup:passive in its offer)."""


@dataclass(frozen=True, slots=True)
class PublishSection:
    """The peer sends here: answered recvonly."""

    offered: MediaSection
    mid: Mid
    producer: ProducerParameters
    extensions: tuple[HeaderExtension, ...]
    """To answer, direction seen from us."""
    rids: tuple[RidLine, ...]
    """To answer, direction seen from us."""
    simulcast: tuple[SimulcastStream, ...]
    """That we receive; empty: none was offered."""


@dataclass(frozen=True, slots=True)
class SlotSection:
    """The peer receives here: answered sendonly."""

    offered: MediaSection
    mid: Mid
    consumer: ConsumerParameters
    extensions: tuple[HeaderExtension, ...]
    """To answer, direction seen from us."""


@dataclass(frozen=True, slots=True)
class IdleSection:
    """The peer neither sends nor receives now (a=inactive) but keeps the section."""

    offered: MediaSection
    mid: Mid
    kind: MediaKind
    codecs: tuple[RtpCodec, ...]
    extensions: tuple[HeaderExtension, ...]


@dataclass(frozen=True, slots=True)
class RejectedSection:
    """Not used, answered with port 0. The peer may put another section in its place later."""

    offered: MediaSection
    mid: Mid | None
    reason: str
    """A sentence for the log."""


AcceptedSection = PublishSection | SlotSection | IdleSection
NegotiatedSection = AcceptedSection | RejectedSection


@dataclass(frozen=True, slots=True)
class NegotiatedOffer:
    """One offer with every decision taken. At least one section is accepted."""

    remote: RemoteTransport
    sections: tuple[NegotiatedSection, ...]
    """All of the offer, in its order."""
    bundle: tuple[Mid, ...]
    """Accepted mids that share the transport, its tagged section first; empty if the offer had no BUNDLE group."""
    setup: Setup
    """Our DTLS side: PASSIVE, or ACTIVE where the policy allows and the offer insists."""
    extmap_allow_mixed: bool

    @property
    def accepted(self) -> tuple[AcceptedSection, ...]:
        """The sections in use."""
        return tuple(section for section in self.sections if not isinstance(section, RejectedSection))

    @property
    def producers(self) -> tuple[ProducerParameters, ...]:
        """Of all sections on which the peer sends."""
        return tuple(section.producer for section in self.sections if isinstance(section, PublishSection))

    @property
    def consumers(self) -> tuple[ConsumerParameters, ...]:
        """Of all slots."""
        return tuple(section.consumer for section in self.sections if isinstance(section, SlotSection))


@dataclass(frozen=True, slots=True)
class SlotSsrcs:
    """The SSRCs that one slot keeps for ever, and the CNAME of our RTCP SDES for them."""

    ssrc: Ssrc
    rtx_ssrc: Ssrc | None = None
    cname: str = "halqa"


def codecs_of(section: AcceptedSection) -> tuple[RtpCodec, ...]:
    """Return the codecs that an accepted section has, whatever its role."""
    match section:
        case PublishSection():
            return section.producer.codecs
        case SlotSection():
            return section.consumer.codecs
        case IdleSection():
            return section.codecs
