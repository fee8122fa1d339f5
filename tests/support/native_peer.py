"""A native worker without its thread, and peers that speak SRTP with it: time stands still between two calls.

`Room.send` and `Room.pass_time` are all that happens; what the worker sends meanwhile is opened with the keys of
the peer that it goes to and kept there, packet by packet.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from media.native import payload, rtcp, rtp, sealer, srtp
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import Profile, SrtpSession
from media.native.worker import Worker

VP8: Final = 96
VP8_RTX: Final = 97
H264: Final = 98
H264_RTX: Final = 99
AV1: Final = 45
OPUS: Final = 111
TONES: Final = 110
VIEWER_VP8: Final = 120
VIEWER_RTX: Final = 121
NONE: Final = 255
CODECS_MAX: Final = 24

# Header extension ids of every publisher here, and what they mean to the native core.
MID_ID, RID_ID, REPAIRED_RID_ID, TRANSPORT_ID, LEVEL_ID, DESCRIPTOR_ID, ORIENTATION_ID, UNKNOWN_ID = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
)
KINDS: Final = {
    MID_ID: 1,
    RID_ID: 2,
    REPAIRED_RID_ID: 3,
    TRANSPORT_ID: 4,
    LEVEL_ID: 6,
    DESCRIPTOR_ID: 7,
    ORIENTATION_ID: 8,
    UNKNOWN_ID: 17,
}
IN_KINDS: Final = bytes(KINDS.get(element, 0) for element in range(256))
# Under which ids viewers get them; mid, rid and transport-wide numbers are never theirs.
VIEWER_IDS: Final = {6: 10, 7: 11, 8: 12, 17: 13}
OUT_IDS: Final = bytes(VIEWER_IDS.get(kind, 0) for kind in range(64))
NUMBER_ID: Final = 14
NUMBERED_IDS: Final = bytes({**VIEWER_IDS, 4: NUMBER_ID}.get(kind, 0) for kind in range(64))
"""Of a viewer that takes transport-wide numbers of ours."""

VIDEO_CODECS: Final = [
    (VP8, payload.CODEC_VP8, 90000, VP8_RTX, True),
    (H264, payload.CODEC_H264, 90000, H264_RTX, True),
    (AV1, payload.CODEC_AV1, 90000, NONE, True),
]
# Tones of a telephone (RFC 4733): no viewer here takes them.
AUDIO_CODECS: Final = [
    (OPUS, payload.CODEC_OPUS, 48000, NONE, False),
    (TONES, payload.CODEC_AUDIO, 48000, NONE, False),
]
FRAME_US: Final = 33_000
TICK_US: Final = 10_000
START_US: Final = 1_000_000
RTCP_FIRST, RTCP_LAST = 192, 223  # RFC 5761 section 4


class Received(NamedTuple):
    """One RTP packet that a viewer got, opened."""

    header: rtp.Header
    body: bytes

    @property
    def number(self) -> int:
        return self.header.sequence_number

    @property
    def picture(self) -> payload.Facts:
        """The VP8 descriptor; of a retransmission, that of the packet inside."""
        inner = self.body[2:] if self.header.payload_type == VIEWER_RTX else self.body
        return payload.inspect(payload.CODEC_VP8, inner)

    @property
    def original_number(self) -> int:
        """The number that a retransmission repeats (RFC 4588 section 4)."""
        return int.from_bytes(self.body[:2])


@dataclass(slots=True)
class Peer:
    """One end of a transport: seals what it sends, opens what it gets."""

    id: int
    address: tuple[str, int]
    sealer: SrtpSession
    opener: SrtpSession
    ours: tuple[SrtpSession | PacketSealer, ...]
    media: list[Received] = field(default_factory=list)
    control: list[rtcp.Packet] = field(default_factory=list)
    came: dict[bytes, tuple[bytes, Received]] = field(default_factory=dict)

    def take_rtp(self) -> list[Received]:
        """Return and forget the packets that came."""
        taken, self.media = self.media, []
        return taken

    def take_rtcp(self) -> list[rtcp.Packet]:
        taken, self.control = self.control, []
        return taken

    def receive(self, datagram: bytes) -> None:
        """Open a datagram and keep what was in it.

        SRTP would refuse a packet that came before. It may come again without RTX, but only as it was: two contents
        under one number would give a GCM key away.
        """
        if RTCP_FIRST <= datagram[1] <= RTCP_LAST:
            self.control += rtcp.parse_compound(self.opener.unprotect_rtcp(datagram))
            return
        name = datagram[2:4] + datagram[8:12]
        before = self.came.get(name)
        if before is None:
            packet = self.opener.unprotect(datagram)
            header = rtp.parse_header(packet)
            end = header.payload_offset + header.payload_length
            before = self.came[name] = (datagram, Received(header, packet[header.payload_offset : end]))
        assert before[0] == datagram, f"number {name.hex()} was given to two packets"
        self.media.append(before[1])

    def close(self) -> None:
        for session in (self.sealer, self.opener, *self.ours):
            session.close()


class Room:
    """A worker driven by hand with its peers; ports are transport ids, for they only tell addresses apart."""

    def __init__(self, profile: Profile = Profile.AEAD_AES_128_GCM) -> None:
        srtp.load()
        sealer.load()
        self.worker = Worker()
        self.now_us = START_US
        self.peers: dict[int, Peer] = {}
        self._profile = profile
        self._keys = 0

    def close(self) -> None:
        """Remove every transport, and only then free its keys."""
        for peer in self.peers.values():
            self.worker.remove_transport(peer.id)
            peer.close()

    # -- rows ---------------------------------------------------------------------------------------------------

    def join(self, transport: int, *, out_ids: bytes = OUT_IDS) -> Peer:
        """Add a transport with address and keys."""
        peer = self.knock(transport, out_ids=out_ids)
        self.connect(peer)
        return peer

    def knock(self, transport: int, *, out_ids: bytes = OUT_IDS) -> Peer:
        """Add a transport that has neither yet."""
        inbound, outbound = self._key(), self._key()

        peer = Peer(
            transport,
            ("127.0.0.1", transport),
            SrtpSession(self._profile, inbound, "outbound"),
            SrtpSession(self._profile, outbound, "inbound"),
            (
                SrtpSession(self._profile, inbound, "inbound"),
                SrtpSession(self._profile, outbound, "outbound"),
                *([PacketSealer(self._profile, outbound)] if self._profile in GCM_PROFILES else []),
            ),
        )
        self.worker.add_transport(transport, 0x5F000000 | transport, IN_KINDS, out_ids)
        self.peers[transport] = peer
        return peer

    def connect(self, peer: Peer) -> None:
        """Give a transport its address and keys."""
        self.worker.set_address(peer.id, *peer.address)
        self.worker.set_keys(peer.id, *(one.handle for one in peer.ours))

    def publish_video(self, producer: int, peer: Peer, rids: tuple[bytes, ...] = (b"",)) -> None:
        """Add a section whose mid is the producer's id, unmuted."""
        self.worker.add_producer(producer, peer.id, b"%d" % producer, True, VIDEO_CODECS, [(rid, 0, 0) for rid in rids])
        self.worker.set_paused(producer, False)

    def publish_audio(self, producer: int, peer: Peer) -> None:
        self.worker.add_producer(producer, peer.id, b"%d" % producer, False, AUDIO_CODECS, [(b"", 0, 0)])
        self.worker.set_paused(producer, False)

    def subscribe(
        self,
        consumer: int,
        peer: Peer,
        producer: int,
        *,
        encoding: int = 0,
        first: int = 100,
        has_rtx: bool = True,
        numbered: bool = False,
    ) -> None:
        """Add a video slot with SSRC `consumer` (and `consumer` + 1000000 for RTX), and let it carry the producer."""
        rtx_ssrc = consumer + 1_000_000 if has_rtx else 0
        self.worker.add_consumer(consumer, peer.id, True, consumer, rtx_ssrc, first, numbered)
        self.attach(consumer, producer, encoding=encoding)

    def attach(self, consumer: int, producer: int, *, encoding: int = 0, temporal: int = 255) -> None:
        types = bytes([VIEWER_VP8, H264, AV1]).ljust(CODECS_MAX, b"\xff")
        rtx_types = bytes([VIEWER_RTX, NONE, NONE]).ljust(CODECS_MAX, b"\xff")
        self.worker.attach(consumer, producer, types, rtx_types, encoding, temporal)

    def listen(self, consumer: int, peer: Peer, producer: int, *, first: int = 100, numbered: bool = False) -> None:
        """Add an audio slot and let it carry the producer."""
        self.worker.add_consumer(consumer, peer.id, False, consumer, 0, first, numbered)
        types = bytes([OPUS]).ljust(CODECS_MAX, b"\xff")
        self.worker.attach(consumer, producer, types, bytes([NONE] * CODECS_MAX), 0, 255)

    # -- what happens -------------------------------------------------------------------------------------------

    def send(self, peer: Peer, *packets: bytes) -> None:
        """Let a peer send RTP packets, one millisecond apart."""
        for packet in packets:
            self.feed(peer.sealer.protect(packet), peer.address)
            self.now_us += 1000

    def send_together(self, peer: Peer, *packets: bytes) -> list[tuple[tuple[str, int], int]]:
        """Let a peer send RTP packets that one system call reads; return where what followed went, and its sizes."""
        for index, packet in enumerate(packets, start=1):
            self.worker.feed(peer.sealer.protect(packet), peer.address, self.now_us, more=index < len(packets))
        datagrams = self.worker.take_datagrams()
        by_address = {other.address: other for other in self.peers.values()}
        for datagram, destination in datagrams:
            by_address[destination].receive(datagram)
        return [(destination, len(datagram)) for datagram, destination in datagrams]

    def send_rtcp(self, peer: Peer, *packets: bytes) -> None:
        """Let a peer send one compound RTCP packet."""
        self.feed(peer.sealer.protect_rtcp(b"".join(packets)), peer.address)

    def feed(self, datagram: bytes, source: tuple[str, int]) -> None:
        self.worker.feed(datagram, source, self.now_us)
        self.collect()

    def pass_time(self, milliseconds: int) -> None:
        """Let time go by in ticks of 10 ms."""
        for _ in range(0, milliseconds * 1000, TICK_US):
            self.now_us += TICK_US
            self.worker.tick(self.now_us)
        self.collect()

    def collect(self) -> None:
        """Hand to each peer, opened, what was sent to it."""
        by_address = {peer.address: peer for peer in self.peers.values()}
        for datagram, destination in self.worker.take_datagrams():
            by_address[destination].receive(datagram)

    def counters(self) -> dict[str, int]:
        """Return the counters that are not zero, sizes left out."""
        counters = self.worker.counters()
        return {name: value for name, value in counters.items() if value and not name.endswith("bytes")}

    def _key(self) -> bytes:
        """Return a new key with salt; the same keys in every run."""
        self._keys += 1
        return bytes([self._keys]) * (self._profile.key_bytes + self._profile.salt_bytes)


def rtp_packet(
    body: bytes,
    *,
    ssrc: int,
    number: int,
    timestamp: int,
    payload_type: int = VP8,
    marker: bool = True,
    extensions: tuple[tuple[int, bytes], ...] = (),
    padding: int = 0,
) -> bytes:
    """Return an RTP packet with `padding` bytes of padding, whose last one says how many they are."""
    block = rtp.write_extensions(list(extensions))
    first = 0x80 | (0x10 if block else 0) | (0x20 if padding else 0)
    second = payload_type | (0x80 if marker else 0)
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    return struct.pack("!BBHII", first, second, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + block + body + tail


def rtx_packet(
    original: bytes,
    *,
    ssrc: int,
    number: int,
    extensions: tuple[tuple[int, bytes], ...],
    payload_type: int = VP8_RTX,
) -> bytes:
    """Return the retransmission of a packet (RFC 4588 section 4)."""
    header = rtp.parse_header(original)
    return rtp_packet(
        original[2:4] + original[header.payload_offset :],
        ssrc=ssrc,
        number=number,
        timestamp=header.timestamp,
        payload_type=payload_type,
        marker=header.marker,
        extensions=extensions,
    )
