"""One client's media: its transport, and the engine's producer or consumer behind each section of its offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from media.rtp.extensions import TRANSPORT_SEQUENCE
from media.rtp.parameters import ConsumerParameters, LocalTransport, MediaKind, Mid
from signaling.codes import ErrorCode
from signaling.errors import RequestError
from signaling.ports import Consumer, PathCounters, Producer, Router, Transport, TransportListener
from signaling.sdp import (
    NegotiatedOffer,
    NegotiationPolicy,
    PublishSection,
    SdpError,
    SlotSection,
    SlotSsrcs,
    compare_offers,
    negotiate,
    parse_offer,
    write_answer,
)
from signaling.sdp.choose_codecs import RECEIVER_ESTIMATE
from signaling.sdp.negotiated import AcceptedSection

POLICY: Final = NegotiationPolicy(active_dtls=True)
"""FFmpeg's WHIP muxer waits for DTLS; everybody else offers us the choice, and we take the passive side."""


class LinkBrokenError(Exception):
    """The engine refused parameters in the middle of a change: the transport is closed, the client must join again."""


class Link:
    """A transport and its sections. Offers change it: `answer` is what the client must be told after each."""

    def __init__(self, router: Router, offer: NegotiatedOffer | None, listener: TransportListener) -> None:
        """Make what the first offer needs; raises RequestError (`bad_offer`) and leaves nothing behind.

        Without an offer there is no transport until `change` brings one.
        """
        self._router = router
        self._listener = listener
        self._offer: NegotiatedOffer | None = None
        self._transport: Transport | None = None
        self.producers: dict[Mid, Producer] = {}
        self.consumers: dict[Mid, Consumer] = {}
        self._answers = 0
        self.answer = ""
        """What the client must be told after its last offer; "" before the first."""
        if offer is not None:
            self._open(offer)

    @property
    def mids(self) -> frozenset[Mid]:
        """Every section of the offer that has a mid, used or not."""
        sections = () if self._offer is None else self._offer.sections
        return frozenset(section.mid for section in sections if section.mid is not None)

    @property
    def transport(self) -> Transport | None:
        """Where the media goes; None without media."""
        return self._transport

    @property
    def tells_arrivals(self) -> bool:
        """Whether the client will tell which packets came, and when: then its path can be estimated."""
        if self._offer is None or TRANSPORT_SEQUENCE not in dict(self._offer.remote.extensions).values():
            return False
        slots = (section.consumer for section in self._offer.accepted if isinstance(section, SlotSection))
        return any(_is_reported(slot) for slot in slots if slot.kind is MediaKind.VIDEO)

    @property
    def estimates_by_itself(self) -> bool:
        """Whether the client, instead of telling what came, says how much its path carries (REMB)."""
        if self._offer is None or self.tells_arrivals:
            return False
        slots = (section.consumer for section in self._offer.accepted if isinstance(section, SlotSection))
        return any(RECEIVER_ESTIMATE in codec.feedback for slot in slots for codec in slot.codecs)

    @property
    def path(self) -> PathCounters | None:
        """What is known of the way to the client and back; None without media."""
        return None if self._transport is None else self._transport.path

    def kind(self, mid: Mid) -> MediaKind | None:
        """Return the kind of a section that is in use, None of any other."""
        accepted = () if self._offer is None else self._offer.accepted
        return next((section_kind(section) for section in accepted if section.mid == mid), None)

    def change(self, offer: NegotiatedOffer) -> tuple[Mid, ...]:
        """Take another offer on the same transport; return the sections that went away (or changed their role).

        Raises RequestError (`bad_offer`) and changes nothing, or LinkBrokenError.
        """
        if self._offer is None or self._transport is None:
            self._open(offer)
            return ()
        try:
            change = compare_offers(self._offer, offer)
        except SdpError as error:
            raise RequestError(ErrorCode.BAD_OFFER, str(error)) from error
        try:
            self._remove(change.removed)
            if change.extensions:
                self._transport.add_extensions(dict(change.extensions))
            self._add(self._transport, change.added)
            local = self._transport.restart_ice(offer.remote.ice) if change.ice_restart else self._transport.local
        except ValueError as error:
            self._transport.close()
            raise LinkBrokenError(f"engine refused a later offer: {error}") from error
        self._offer = offer
        self.answer = self._write_answer(offer, local)
        return change.removed

    def close(self) -> None:
        """Close the transport and all that runs over it."""
        for producer in self.producers.values():
            producer.on_change = None
        for consumer in self.consumers.values():
            consumer.on_switch = None
        if self._transport is not None:
            self._transport.close()

    def _open(self, offer: NegotiatedOffer) -> None:
        try:
            transport = self._router.create_transport(offer.remote, self._listener)
        except ValueError as error:
            raise RequestError(ErrorCode.BAD_OFFER, f"offer cannot be used: {error}") from error
        try:
            self._add(transport, offer.accepted)
            self.answer = self._write_answer(offer, transport.local)
        except ValueError as error:
            self._give_up(transport)
            raise RequestError(ErrorCode.BAD_OFFER, f"offer cannot be used: {error}") from error
        except BaseException:
            self._give_up(transport)
            raise
        self._offer, self._transport = offer, transport

    def _give_up(self, transport: Transport) -> None:
        transport.close()
        self.producers.clear()
        self.consumers.clear()

    def _add(self, transport: Transport, sections: Sequence[AcceptedSection]) -> None:
        for section in sections:
            if isinstance(section, PublishSection):
                self.producers[section.mid] = transport.produce(section.producer)
            elif isinstance(section, SlotSection):
                self.consumers[section.mid] = transport.consume(section.consumer)

    def _remove(self, mids: Sequence[Mid]) -> None:
        for mid in mids:
            if (producer := self.producers.pop(mid, None)) is not None:
                producer.on_change = None
                producer.close()
            if (consumer := self.consumers.pop(mid, None)) is not None:
                consumer.on_switch = None
                consumer.close()

    def _write_answer(self, offer: NegotiatedOffer, local: LocalTransport) -> str:
        self._answers += 1
        ssrcs = {mid: SlotSsrcs(consumer.ssrc, consumer.rtx_ssrc) for mid, consumer in self.consumers.items()}
        return write_answer(offer, local, ssrcs, version=self._answers)


def read_offer(text: str) -> NegotiatedOffer:
    """Return what becomes of an offer, before anything is made of it; raises RequestError (`bad_offer`)."""
    try:
        return negotiate(parse_offer(text), policy=POLICY)
    except SdpError as error:
        raise RequestError(ErrorCode.BAD_OFFER, str(error)) from error


def _is_reported(slot: ConsumerParameters) -> bool:
    """Return whether the engine numbers the packets of a slot: not where lost ones are repeated under old numbers."""
    feedback = {kind for codec in slot.codecs for kind in codec.feedback}
    has_rtx = any(codec.rtx_payload_type is not None for codec in slot.codecs)
    return "transport-cc" in feedback and (has_rtx or "nack" not in feedback)


def section_kind(section: AcceptedSection) -> MediaKind:
    """Return whether a section is for audio or for video."""
    if isinstance(section, PublishSection):
        return section.producer.kind
    if isinstance(section, SlotSection):
        return section.consumer.kind
    return section.kind
