"""A test peer's media: sends what its sources make, answers what the server asks, sorts what comes into slots."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter

from media.native import rtcp
from media.native.rtp import MalformedPacket, parse_header
from media.rtp.parameters import IceCredentials
from tests.support.peer_link import PeerLink
from tests.support.peer_offer import Answer, Numbers
from tests.support.peer_slots import ReceivingSlot
from tests.support.peer_sources import Source
from tests.support.peer_streams import OutgoingStream

TICK_S = 0.02
REPORT_INTERVAL_S = 1.0
KEY_FRAME_PATIENCE_S = 2.0  # the server asks the publisher by itself; a viewer asks when that has not helped
REPORT_BLOCKS_MAX = 31
OWN_SSRC = 1
"""Of feedback, as browsers send it that have nothing to publish."""


class PeerMedia:
    """Bound at once, silent until `connect`; then it keeps time by itself until `end`."""

    def __init__(
        self,
        *,
        ice: IceCredentials,
        answer: Answer,
        numbers: Numbers,
        slots: dict[str, ReceivingSlot],
        chance: random.Random,
    ) -> None:
        self.link = PeerLink(
            local=ice,
            remote=answer.ice,
            fingerprint=answer.fingerprint,
            server=answer.address,
            on_rtp=self._receive_rtp,
            on_rtcp=self._receive_rtcp,
        )
        self.sources: dict[str, Source] = {}
        self.feedback: Counter[str] = Counter()
        """RTCP of the server, by kind; "nacked" counts numbers."""
        self.unexpected: list[str] = []
        """Packets on no SSRC that the answer named, or of a wrong payload type."""
        self._numbers = numbers
        self._slots = slots
        self._by_ssrc = {ssrc: slot for slot in slots.values() for ssrc in (slot.ssrc, slot.rtx_ssrc) if ssrc}
        self._lost_by_stream: dict[int, int] = {}
        self._transport_number = chance.randrange(1 << 16)
        self._report_due = 0.0
        self._clock: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Do ICE and DTLS, then keep time."""
        await self.link.connect()
        self._clock = asyncio.create_task(self._keep_time())

    async def end(self, *, goodbye: bool = True) -> None:
        if self._clock is not None:
            self._clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clock
            self._clock = None
        self.link.close(goodbye=goodbye)

    @property
    def streams(self) -> list[OutgoingStream]:
        return [stream for source in self.sources.values() for stream in source.streams]

    @property
    def loss_reported(self) -> int:
        """How many of our packets the server's last reports call lost."""
        return sum(self._lost_by_stream.values())

    # -- out ------------------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            now = time.monotonic()
            for source in list(self.sources.values()):
                for stream, unit in source.due(now):
                    self.link.send_rtp(stream.packet(unit, self._transport_extension()))
            self._ask_for_more(now)
            if now >= self._report_due:
                self._report_due = now + REPORT_INTERVAL_S
                self._report(now)
            await asyncio.sleep(TICK_S)

    def _transport_extension(self) -> tuple[int, bytes]:
        self._transport_number = (self._transport_number + 1) & 0xFFFF
        return self._numbers.transport_sequence, self._transport_number.to_bytes(2)

    def _ask_for_more(self, now: float) -> None:
        for slot in self._slots.values():
            if slot.is_video and slot.reception.lost and (numbers := slot.reception.due(now)):
                self.link.send_rtcp(rtcp.write_nack(OWN_SSRC, slot.ssrc, numbers))
            if not slot.waits_for_key_frame:
                slot.asked_key_frame_at = now
            elif now - slot.asked_key_frame_at > KEY_FRAME_PATIENCE_S:
                slot.asked_key_frame_at = now
                self.link.send_rtcp(rtcp.write_pli(OWN_SSRC, slot.ssrc))

    def _report(self, now: float) -> None:
        for stream in self.streams:
            self.link.send_rtcp(stream.sender_report(now=now, wallclock=time.time()))
        blocks = [slot.reception.report(slot.ssrc, now=now) for slot in self._slots.values()]
        reports = [block for block in blocks if block is not None]
        for start in range(0, len(reports), REPORT_BLOCKS_MAX):
            self.link.send_rtcp(rtcp.write_receiver_report(OWN_SSRC, reports[start : start + REPORT_BLOCKS_MAX]))

    # -- in -------------------------------------------------------------------------------------------------------

    def _receive_rtp(self, packet: bytes) -> None:
        try:
            header = parse_header(packet)
        except MalformedPacket as error:
            self.unexpected.append(str(error))
            return
        payload = packet[header.payload_offset : header.payload_offset + header.payload_length]
        slot = self._by_ssrc.get(header.ssrc)
        if slot is None:
            self.unexpected.append(f"a packet with SSRC {header.ssrc}")
            return
        expected = self._numbers.vp8 if slot.is_video else self._numbers.opus
        number = header.sequence_number
        if header.ssrc == slot.rtx_ssrc:
            expected = self._numbers.vp8_rtx
            number, payload = int.from_bytes(payload[:2]), payload[2:]
        if header.payload_type != expected:
            self.unexpected.append(f"payload type {header.payload_type} on slot {slot.mid}, expected {expected}")
            return
        slot.receive(number, header.timestamp, payload, now=time.monotonic())

    def _receive_rtcp(self, compound: bytes) -> None:
        now = time.monotonic()
        for packet in rtcp.parse_compound(compound):
            kind = (packet.packet_type, packet.count_or_format)
            if packet.packet_type == rtcp.RTCP_SR and packet.ssrc in self._by_ssrc:
                self.feedback["sender report"] += 1
                self._by_ssrc[packet.ssrc].reception.take_sender_report(rtcp.read_sender(packet).ntp, now=now)
            elif packet.packet_type == rtcp.RTCP_RR:
                self.feedback["receiver report"] += 1
                for block in rtcp.read_reports(packet):
                    self._lost_by_stream[block.ssrc] = block.cumulative_lost
            elif kind == (rtcp.RTCP_RTPFB, rtcp.RTCP_FMT_NACK):
                self._answer_nack(rtcp.read_nack(packet))
            elif kind == (rtcp.RTCP_PSFB, rtcp.RTCP_FMT_PLI):
                self.feedback["pli"] += 1
                for source in self.sources.values():
                    source.request_key_frame(rtcp.read_media_ssrc(packet))
            elif kind == (rtcp.RTCP_RTPFB, rtcp.RTCP_FMT_TWCC):
                self.feedback["transport-cc"] += 1

    def _answer_nack(self, nack: rtcp.Nack) -> None:
        self.feedback["nacked"] += len(nack.numbers)
        for stream in self.streams:
            if stream.ssrc == nack.media_ssrc:
                for number in nack.numbers:
                    if packet := stream.retransmission(number, self._transport_extension()):
                        self.link.send_rtp(packet)
