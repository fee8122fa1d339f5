from collections.abc import Sequence
from typing import Final, NamedTuple

RTCP_SR: Final = 200
RTCP_RR: Final = 201
RTCP_SDES: Final = 202
RTCP_BYE: Final = 203
RTCP_APP: Final = 204
RTCP_RTPFB: Final = 205
RTCP_PSFB: Final = 206
RTCP_XR: Final = 207
RTCP_FMT_NACK: Final = 1
RTCP_FMT_TWCC: Final = 15
RTCP_FMT_PLI: Final = 1
RTCP_FMT_FIR: Final = 4
RTCP_FMT_AFB: Final = 15

class Packet(NamedTuple):
    packet_type: int
    count_or_format: int
    ssrc: int
    body: bytes

class Sender(NamedTuple):
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int

class Report(NamedTuple):
    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int

class Nack(NamedTuple):
    media_ssrc: int
    numbers: tuple[int, ...]

class Fir(NamedTuple):
    media_ssrc: int
    command: int

class Remb(NamedTuple):
    bitrate_bps: int
    ssrcs: tuple[int, ...]

def parse_compound(data: bytes) -> tuple[Packet, ...]: ...
def read_sender(packet: Packet) -> Sender: ...
def read_reports(packet: Packet) -> tuple[Report, ...]: ...
def read_nack(packet: Packet, capacity: int = ...) -> Nack: ...
def read_fir(packet: Packet) -> tuple[Fir, ...]: ...
def read_remb(packet: Packet) -> Remb: ...
def read_media_ssrc(packet: Packet) -> int: ...
def write_sender_report(ssrc: int, sender: Sender, *, capacity: int = ...) -> bytes: ...
def write_receiver_report(ssrc: int, reports: Sequence[Report], *, capacity: int = ...) -> bytes: ...
def write_sdes_cname(ssrc: int, cname: bytes, *, capacity: int = ...) -> bytes: ...
def write_nack(sender_ssrc: int, media_ssrc: int, numbers: Sequence[int], *, capacity: int = ...) -> bytes: ...
def write_pli(sender_ssrc: int, media_ssrc: int, *, capacity: int = ...) -> bytes: ...
def write_fir(sender_ssrc: int, media_ssrc: int, command: int, *, capacity: int = ...) -> bytes: ...
def write_bye(ssrc: int, *, capacity: int = ...) -> bytes: ...
def write_remb(sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int], *, capacity: int = ...) -> bytes: ...
