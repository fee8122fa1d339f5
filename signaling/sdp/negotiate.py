"""From an offer to decisions: which sections, codecs and header extensions are taken, and as what."""

from __future__ import annotations

from typing import Final

from media.rtp.parameters import ConsumerParameters, MediaKind, Mid, ProducerParameters
from signaling.sdp.choose_codecs import check_payload_types, choose_codecs
from signaling.sdp.choose_encodings import check_ssrcs, choose_encodings
from signaling.sdp.choose_extensions import choose_extensions, join_extensions, suit_codec
from signaling.sdp.choose_transport import choose_setup, choose_transport
from signaling.sdp.description import MediaSection, SessionDescription, Setup
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.negotiated import (
    AcceptedSection,
    IdleSection,
    NegotiatedOffer,
    NegotiatedSection,
    NegotiationPolicy,
    PublishSection,
    RejectedSection,
    SlotSection,
)

DEFAULT_POLICY: Final = NegotiationPolicy()

PROTOCOLS: Final = frozenset(
    {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"}
)
"""All mean RTP over DTLS-SRTP, whatever ICE picks below it (RFC 9429 section 5.1.2)."""

_KINDS: Final = {kind.value: kind for kind in MediaKind}


def negotiate(offer: SessionDescription, *, policy: NegotiationPolicy = DEFAULT_POLICY) -> NegotiatedOffer:
    """Decide on each section of an offer; raise SdpError if it cannot be answered at all or contradicts itself."""
    if offer.ice_lite:
        raise SdpError("the offer has a=ice-lite, and so have we: nobody would check a path")
    sections = _decide_all(offer, policy)
    accepted = [section for section in sections if not isinstance(section, RejectedSection)]
    if not accepted:
        raise SdpError(f"none of the {len(sections)} sections can be taken. {_first_reason(sections)}")
    check_payload_types(accepted)
    check_ssrcs(section for section in accepted if isinstance(section, PublishSection))
    bundle = _bundled(offer, accepted)
    candidates = _transport_sections(offer, accepted, bundle)
    setup = choose_setup(candidates, active_allowed=policy.active_dtls)
    return NegotiatedOffer(
        remote=choose_transport(candidates, join_extensions(accepted), awaits_dtls=setup is Setup.ACTIVE),
        sections=sections,
        bundle=bundle,
        setup=setup,
        extmap_allow_mixed=offer.extmap_allow_mixed,
    )


def _decide_all(offer: SessionDescription, policy: NegotiationPolicy) -> tuple[NegotiatedSection, ...]:
    decided: list[NegotiatedSection] = []
    for section in offer.sections:
        reason = _why_unusable(section, policy) or _why_apart(section, offer, decided)
        decided.append(_reject(section, reason) if reason else _decide(section, policy, decided))
    return tuple(decided)


def _why_unusable(section: MediaSection, policy: NegotiationPolicy) -> str:
    """Return why a section is rejected by itself, or ""."""
    if section.line.port == 0 and not section.bundle_only:
        return "The offer has port 0."
    if section.line.media not in _KINDS:
        return f"Media {quote(section.line.media)} is not taken."
    if section.line.protocol not in PROTOCOLS:
        return f"Protocol {quote(section.line.protocol)} is not taken."
    if not section.transport.rtcp_mux:
        return "It has no a=rtcp-mux."
    if section.mid is None:
        return "It has no a=mid."
    if section.mid in policy.forbidden:
        return "The room does not allow it."
    return ""


def _why_apart(section: MediaSection, offer: SessionDescription, decided: list[NegotiatedSection]) -> str:
    """Return why a section cannot share the one transport, or "". Without BUNDLE the first section alone is taken."""
    if offer.bundle_groups:
        return "" if section.mid in offer.bundle_groups[0] else "It is not in the first BUNDLE group."
    taken = any(not isinstance(other, RejectedSection) for other in decided)
    return "The offer has no BUNDLE group, and another section has the transport." if taken else ""


def _decide(section: MediaSection, policy: NegotiationPolicy, decided: list[NegotiatedSection]) -> NegotiatedSection:
    kind, mid = _KINDS[section.line.media], Mid(section.mid or "")
    extensions = choose_extensions(section)
    codecs = choose_codecs(section, kind, extensions)
    if not codecs:
        return _reject(section, f"None of its {len(section.formats)} formats is one that we forward.")
    if section.direction.sends:
        if kind not in policy.publish:
            return _reject(section, f"Sending {kind.value} is not allowed.")
        if sum(isinstance(other, PublishSection) for other in decided) >= policy.publish_sections_max:
            return _reject(section, f"More than {policy.publish_sections_max} sections to send on.")
        chosen = choose_encodings(section.streams, codecs, encodings_max=policy.encodings_max)
        producer = ProducerParameters(mid, kind, codecs, chosen.encodings)
        taken = suit_codec(extensions, codecs)
        return PublishSection(section, mid, producer, taken, chosen.rids, chosen.simulcast)
    if not section.direction.receives:
        return IdleSection(section, mid, kind, codecs, extensions)
    if kind not in policy.receive:
        return _reject(section, f"Receiving {kind.value} is not allowed.")
    if sum(isinstance(other, SlotSection) for other in decided) >= policy.slots_max:
        return _reject(section, f"More than {policy.slots_max} slots.")
    return SlotSection(section, mid, ConsumerParameters(mid, kind, codecs), extensions)


def _reject(section: MediaSection, reason: str) -> RejectedSection:
    return RejectedSection(section, section.mid, reason)


def _first_reason(sections: tuple[NegotiatedSection, ...]) -> str:
    reasons = (section.reason for section in sections if isinstance(section, RejectedSection))
    return next((f"The first: {reason}" for reason in reasons), "")


def _bundled(offer: SessionDescription, accepted: list[AcceptedSection]) -> tuple[Mid, ...]:
    if not offer.bundle_groups:
        return ()
    mids = {section.mid for section in accepted}
    return tuple(mid for mid in offer.bundle_groups[0] if mid in mids)


def _transport_sections(
    offer: SessionDescription, accepted: list[AcceptedSection], bundle: tuple[Mid, ...]
) -> list[MediaSection]:
    """Return the sections that may tell the transport: ours in BUNDLE's order, then those of the group we rejected."""
    by_mid = {section.mid: section for section in offer.sections if section.mid is not None}
    group = offer.bundle_groups[0] if offer.bundle_groups else (accepted[0].mid,)
    ordered = [*bundle, *(mid for mid in group if mid not in bundle)]
    return [by_mid[mid] for mid in ordered]
