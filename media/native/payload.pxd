"""The C face of codec inspection: what forwarding must know of a payload, and the few bytes that it rewrites."""

from libc.stdint cimport uint8_t, uint16_t

cpdef enum:
    CODEC_NONE = 0
    CODEC_OPUS = 1
    CODEC_VP8 = 2  # RFC 7741
    CODEC_H264 = 3  # RFC 6184
    CODEC_VP9 = 4  # RFC 9628
    CODEC_AV1 = 5  # RTP Payload Format For AV1, version 1.0.0
    CODEC_AUDIO = 6  # audio that is forwarded unread
    CODEC_VIDEO = 7  # video that is forwarded unread

cdef enum:
    PAYLOAD_OK = 0
    PAYLOAD_EMPTY = -1  # a padding-only packet of video
    PAYLOAD_TRUNCATED = -2  # the payload ends within its descriptor
    PAYLOAD_RESERVED = -3  # a value that the format forbids
    PAYLOAD_OTHER_CODEC = -4  # no CODEC_* that carries media

cdef enum:
    LAYER_UNKNOWN = 0xFF
    SPATIAL_TOLD = 4  # spatial layers whose sizes are kept

ctypedef struct PayloadFacts:
    uint8_t key_frame  # 1: a decoder can start here. Audio and unread video: always
    uint8_t frame_start  # first packet of a frame, as far as the payload tells
    uint8_t temporal_id  # LAYER_UNKNOWN if the payload does not tell
    uint8_t spatial_id  # LAYER_UNKNOWN if the payload does not tell
    uint8_t layer_sync  # a receiver may go up to this temporal layer here (VP8 Y, VP9 U)
    uint8_t picture_id_bits  # 0, 7 or 15 (VP8, VP9)
    uint8_t picture_id_offset  # from the payload's start
    uint8_t tl0_offset  # of the temporal layer zero index, from the payload's start; 0 if none (VP8, VP9)
    uint8_t tl0
    uint16_t picture_id
    uint8_t frame_end  # last packet of a frame, as far as the payload tells (VP9)
    uint8_t predicted  # from pictures before (VP9 P)
    uint8_t inter_layer  # predicted from the spatial layer below (VP9 D)
    uint8_t unreferenced  # by the spatial layers above (VP9 Z)
    uint8_t structure_layers  # spatial layers that there are; 0 if the payload does not tell (VP9)
    uint16_t width  # of a key frame whose first packet tells it, else 0
    uint16_t height
    uint16_t layer_widths[SPATIAL_TOLD]  # of each spatial layer, 0 if the payload does not tell
    uint16_t layer_heights[SPATIAL_TOLD]

# PAYLOAD_OK or a negative PAYLOAD_*; after an error the facts are zero and the layers unknown.
cdef int inspect_payload(int codec, const uint8_t* payload, size_t size, PayloadFacts* facts) noexcept nogil

# Write both ids in place, in the widths that `facts` (of this very payload) found.
cdef void patch_vp8(uint8_t* payload, const PayloadFacts* facts, uint16_t picture_id, uint8_t tl0) noexcept nogil

# The mandatory fields of a dependency descriptor, and whether it brings a template structure (a key frame does).
# 0, or PAYLOAD_TRUNCATED with the outputs 0.
cdef int peek_dependency_descriptor(const uint8_t* value, size_t size, uint16_t* frame_number,
                                    uint8_t* first_in_frame, uint8_t* structure_present) noexcept nogil

# Write the frame number in place; nothing happens if the value is too short.
cdef void patch_dependency_frame_number(uint8_t* value, size_t size, uint16_t frame_number) noexcept nogil

# RFC 6464: level is -dBov, 0 (loudest) to 127; voice 0 or 1. 0, or PAYLOAD_TRUNCATED with level 127, voice 0.
cdef int audio_level(const uint8_t* value, size_t size, uint8_t* level, uint8_t* voice) noexcept nogil
