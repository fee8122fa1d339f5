"""A camera that sends AV1 in layers, as far as forwarding can tell, and what a viewer of it can check."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.dependency import DependencyReader, Structure, write_value
from tests.support.layers import Made, make_frames
from tests.support.native_peer import AV1, DESCRIPTOR_ID, MID_ID, VIEWER_IDS, Received, rtp_packet

SSRC = 77
STEP = 3000
PACKETS = 2  # of each frame
BODY = bytes(range(40))
KEY = b"\x18\x0a" + BODY  # N: a coded video sequence begins (section 4.4 of the payload format)
DELTA = b"\x10\x32" + BODY


@dataclass
class LayeredCamera:
    """Sends the frames of a structure, each in two packets, a picture at a time."""

    structure: Structure
    pictures: int
    keys: Sequence[int] = (0,)
    number: int = 65_530
    first: int = 65_500
    """Number of the first frame."""

    def __post_init__(self) -> None:
        frames = make_frames(self.structure, self.pictures, keys=self.keys, first=self.first)
        self.made = [list(group) for _, group in itertools.groupby(frames, key=lambda made: made.picture)]

    def picture(self) -> list[bytes]:
        """Return the packets of the next picture."""
        frames = self.made.pop(0)
        return [packet for made in frames for packet in self._packets(made)]

    def _packets(self, made: Made) -> list[bytes]:
        spatial = self.structure.templates[made.template].spatial
        packets = []
        for index in range(PACKETS):
            starts, ends = index == 0, index == PACKETS - 1
            brings = starts and made.is_key and spatial == 0
            value = write_value(
                self.structure, made.template, made.number, starts=starts, ends=ends, brings_structure=brings
            )
            packets.append(
                rtp_packet(
                    KEY if brings else DELTA,
                    ssrc=SSRC,
                    number=self.number,
                    timestamp=made.picture * STEP,
                    payload_type=AV1,
                    marker=made.is_last and ends,
                    extensions=((MID_ID, b"10"), (DESCRIPTOR_ID, value)),
                )
            )
            self.number = (self.number + 1) & 0xFFFF
        return packets


def descriptor(packet: Received) -> bytes:
    return next(value for element, value in packet.header.extensions if element == VIEWER_IDS[7])


def layers(structure: Structure, received: Sequence[Received]) -> list[tuple[int, int]]:
    """Return the layers of the frames that came, in order; check numbers and the ends of pictures."""
    reader = DependencyReader(structure)
    read = [(packet, reader.read(descriptor(packet))) for packet in received]
    first = received[0].number
    assert [packet.number for packet, _ in read] == [(first + index) % 65536 for index in range(len(read))]
    pictures = itertools.groupby(read, key=lambda each: each[0].header.timestamp)
    for _, group in pictures:
        marks = [packet.header.marker for packet, _ in group]
        assert marks == [False] * (len(marks) - 1) + [True]
    return [(each.spatial, each.temporal) for _, each in read if each.starts]
