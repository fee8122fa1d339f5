from typing import Final, NamedTuple

CODEC_NONE: Final = 0
CODEC_OPUS: Final = 1
CODEC_VP8: Final = 2
CODEC_H264: Final = 3
CODEC_VP9: Final = 4
CODEC_AV1: Final = 5
CODEC_AUDIO: Final = 6
CODEC_VIDEO: Final = 7

class Facts(NamedTuple):
    key_frame: bool
    frame_start: bool
    temporal_id: int | None
    spatial_id: int | None
    layer_sync: bool
    picture_id: int | None
    picture_id_bits: int
    picture_id_offset: int
    tl0: int | None
    tl0_offset: int
    width: int
    height: int

class DependencyDescriptor(NamedTuple):
    frame_number: int
    first_in_frame: bool
    structure_present: bool

def inspect(codec: int, payload: bytes) -> Facts: ...
def patch_picture(codec: int, payload: bytes, picture_id: int, tl0: int) -> bytes: ...
def read_descriptor(value: bytes) -> DependencyDescriptor: ...
def patch_descriptor(value: bytes, frame_number: int) -> bytes: ...
def read_audio_level(value: bytes) -> tuple[int, bool]: ...
