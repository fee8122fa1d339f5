"""One peer of the load generator: what it hears (streams), what it says (feeds), and what is counted of both."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.load_link cimport LoadLink
from media.native.nack cimport NackGenerator
from media.native.reception cimport Reception
from media.native.twcc cimport TwccRecorder

cdef enum:
    STREAMS_MAX = 32          # SSRCs that one peer hears: 16 slots, each with its RTX
    FEEDS_MAX = 8             # SSRCs that one peer sends: three encodings, sound, and room for a screen
    CONTROL_BYTES_MAX = 1600  # of a datagram that Python answers: STUN, DTLS
    FEED_KEPT = 128           # packets of a feed that can be sent again: half a second of 720p
    FEED_PACKET_BYTES = 1500
    FEED_BLOCK_MAX = 96       # header extensions of a feed
    FLOOD_BYTES_MAX = 1400    # of one compound that a peer repeats without need
    STAMP_BYTES = 16          # at the end of a frame: mark (4), publisher (2), nanoseconds (10, seven bits each)
    STAMP_MARK = 0xF1E8C195   # bytes that no seven-bit group has
    LATENCY_BUCKETS = 448     # 16 to a power of two of microseconds: 6 % wide, to 67 s

cdef enum:                    # what a payload type means to a peer; the codecs are those of `payload`
    ROLE_UNKNOWN = 0
    ROLE_RTX = 100

cdef struct LoadStream:
    uint32_t ssrc
    uint32_t repairs          # of RTX: the SSRC that it repairs, 0 if that was not told
    uint8_t role              # CODEC_* or ROLE_RTX
    uint8_t is_video
    uint8_t waits_for_key     # video of which no key frame has come whole
    uint8_t in_key            # a key frame has begun, and is not whole yet
    uint8_t settled           # what comes is live: a late joiner first gets the past
    uint32_t key_timestamp
    int64_t key_first         # extended number of its first packet
    int64_t key_last          # of its last, 0 as long as that has not come
    int64_t first_at_ns
    int64_t pli_at_ns         # when one was sent last
    uint32_t dropped_ahead    # taken away by the wish of the user, and not missed yet: nothing came behind them
    int64_t repeated          # packets that came again under their own SSRC, asked for
    Reception reception
    NackGenerator* nack       # NULL: no repair (sound)

cdef struct LoadCounters:
    uint64_t packets          # RTP that came and was authentic
    uint64_t bytes            # of datagrams, SRTP included
    uint64_t control          # RTCP that came and was authentic
    uint64_t refused          # packets that did not open, or are no packets inside
    uint64_t duplicates
    uint64_t dropped          # taken away by the wish of the user (`loss`)
    int64_t lost              # missing, and neither our socket nor the user is the reason
    int64_t lost_here         # missing while our own socket overflowed
    uint64_t recovered        # of what was missing, what came when asked for
    uint64_t nacked           # sequence numbers asked for
    uint64_t plis             # key frames asked for
    uint64_t frames           # stamped ends of frames and of sound
    uint64_t unreachable      # times that the kernel said that nobody listens there
    uint64_t sent             # RTP
    uint64_t sent_bytes
    uint64_t resent
    uint64_t nacks_heard      # sequence numbers that the server asked for
    uint64_t plis_heard       # of all encodings
    uint64_t asked            # compounds that asked for key frames, of whatever encodings
    uint64_t keys_sent        # key frames
    uint64_t unsent           # packets that the kernel did not take
    int64_t first_packet_ns   # wall clock; 0: none
    int64_t first_key_ns      # the first whole key frame
    int64_t heard_ns          # anything at all, STUN too

cdef struct LoadClip:         # encoded frames cut into payloads, played in a circle
    uint32_t turns
    uint32_t frames           # of one turn
    uint32_t* key_at          # by turn
    int32_t* turn_of_key      # by frame: the turn that has its key frame there, or -1
    uint32_t* first           # by turn and frame: its first packet; one more at the end
    uint32_t* offset          # by packet: where its payload begins; one more at the end
    uint8_t* payloads
    int64_t frame_ns
    uint32_t frame_ticks
    uint8_t codec

cdef struct LoadFeed:
    const LoadClip* clip
    uint32_t ssrc
    uint32_t rtx_ssrc         # 0: sent again as it was
    uint8_t payload_type
    uint8_t rtx_payload_type
    uint8_t paused
    uint8_t wants_key
    uint8_t tl0
    uint16_t number
    uint16_t rtx_number
    uint16_t picture_id
    uint16_t publisher        # stands in the stamp
    uint32_t timestamp
    uint32_t turn
    uint32_t at               # the frame that comes next
    int64_t due_ns            # of the monotonic clock
    uint32_t packets
    uint32_t octets
    uint8_t block_bytes
    uint8_t rtx_block_bytes
    int transport_at          # where in the block the transport-wide number stands, -1 without
    int rtx_transport_at
    uint8_t block[FEED_BLOCK_MAX]
    uint8_t rtx_block[FEED_BLOCK_MAX]
    uint16_t* kept_bytes      # FEED_KEPT sizes; 0: nothing
    uint8_t* kept             # FEED_KEPT packets, by their numbers

cdef struct LoadFlood:        # RTCP that a peer repeats without need
    uint8_t* octets
    uint32_t* offset          # by compound: where it begins; one more at the end
    uint32_t count
    uint32_t at               # the compound that comes next
    int64_t every_ns
    int64_t due_ns            # of the monotonic clock
    uint64_t sent

cdef struct LoadPeer:
    uint32_t id
    int descriptor            # a connected UDP socket; -1: the place is free
    void* opener              # srtp_t
    void* sealer
    uint32_t ssrc             # of our reports
    uint16_t transport_number
    uint8_t transport_id      # extension id of transport-wide numbers that come, 0 without
    uint8_t has_pending       # some stream waits for packets
    uint8_t cut               # its network is gone: nothing goes out, what comes is thrown away
    uint8_t counts            # its latencies and losses are those of a viewer
    uint32_t socket_drops
    int64_t drops_at_ns       # when socket_drops last rose
    int64_t lost_seen         # of what is missing, what was put down already
    int64_t report_due_ns
    int64_t feedback_due_ns
    uint32_t chance           # state of the generator that decides what `loss` takes
    uint32_t loss             # of 2^32
    int stream_count
    int feed_count
    uint8_t roles[128]
    LoadStream streams[STREAMS_MAX]
    LoadFeed feeds[FEEDS_MAX]
    TwccRecorder* arrivals    # NULL without transport_id
    LoadFlood* flood          # NULL: it says only what it must
    LoadLink* link            # what media come through; NULL: as they come
    LoadCounters counters

cdef struct LoadMoment:       # both clocks at one moment
    int64_t wall_ns
    int64_t monotonic_ns
