from typing import NamedTuple

class MalformedPacket(ValueError): ...

class Header(NamedTuple):
    sequence_number: int
    payload_type: int
    marker: bool
    timestamp: int
    ssrc: int
    payload_offset: int
    payload_length: int
    padding_length: int
    extensions: tuple[tuple[int, bytes], ...]

def parse_header(packet: bytes) -> Header: ...
def write_extensions(items: list[tuple[int, bytes]], first_id: int = 0) -> bytes: ...
