"""The rows of one worker: what Python installs under the lock and the data-plane thread reads per packet."""

from libc.stdint cimport int64_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t

from media.native.audio_levels cimport AudioLevels, Hearing
from media.native.bandwidth cimport Bandwidth, BandwidthNews
from media.native.consent cimport Consent
from media.native.events cimport EventRing
from media.native.forward cimport ForwardState, Rewrite
from media.native.history cimport History
from media.native.inbox cimport InboxRing
from media.native.keyframe_gate cimport KeyframeGate
from media.native.lateness cimport Lateness
from media.native.layers cimport LayerStream
from media.native.nack cimport NackGenerator
from media.native.reception cimport Reception
from media.native.sealer cimport Sealer
from media.native.table cimport Table
from media.native.twcc cimport TwccRecorder
from media.native.udp cimport AddressKey, ReceiveBatch, SendBatch, UdpAddress

cdef enum:
    ENCODINGS_MAX = 4         # browsers send at most three simulcast encodings
    CODECS_MAX = 24           # payload types of one section, retransmission types not counted
    KINDS_MAX = 64            # header extensions that one server knows by URI
    NAME_MAX = 16             # bytes of a mid or rid (RFC 8843: at most 16 in the one-byte form)
    ADDRESSES_MAX = 16        # validated addresses of one transport, as its ICE agent bounds them
    STRANGERS_MAX = 32        # unrecognised SSRCs of one transport that libsrtp may keep state for
    # recognised SSRCs over a transport's life, for the same reason: some 40 restarts of every encoding
    BOUND_MAX = 512
    NONE8 = 0xFF

# Kinds that the native core itself looks at; media.rtp.extensions gives the same numbers to the URIs.
cdef enum:
    KIND_NONE = 0
    KIND_MID = 1
    KIND_RID = 2
    KIND_REPAIRED_RID = 3
    KIND_TWCC = 4
    KIND_ABS_SEND_TIME = 5
    KIND_AUDIO_LEVEL = 6
    KIND_DEPENDENCY_DESCRIPTOR = 7
    KIND_PLAYOUT_DELAY = 10

cdef enum:
    STREAM_MEDIA = 1
    STREAM_RTX = 2
    STREAM_CONSUMER = 3


ctypedef struct Name:
    uint8_t size
    uint8_t text[NAME_MAX]

ctypedef struct CodecRow:
    uint8_t payload_type
    uint8_t codec             # of media.native.payload
    uint8_t rtx_payload_type  # NONE8: none
    uint8_t nacks             # NACK was negotiated: ask for lost packets
    uint32_t clock_rate_hz

cdef struct Stream:
    uint8_t kind              # STREAM_*
    uint8_t encoding
    uint32_t ssrc
    Transport* transport
    Producer* producer        # of media and RTX streams
    Consumer* consumer        # of consumer streams (feedback names their SSRC)
    Stream* next              # of the same transport

cdef struct Encoding:
    Name rid
    uint8_t bound             # its SSRC is known
    uint8_t active            # packets come, as far as we know (see refresh_encodings)
    uint8_t has_history
    uint8_t codec_index
    uint16_t width
    uint16_t height
    uint32_t ssrc
    uint32_t rtx_ssrc
    uint32_t silence          # frames that it is behind its siblings (see note_frame)
    uint64_t last_packet_us
    uint64_t bytes
    uint64_t packets
    uint64_t interval_bytes   # since interval_us, for the bitrate
    uint64_t interval_us
    uint32_t bitrate_bps
    int64_t key_extended      # of the last key frame's first packet; meaningful if key_us is not 0
    uint64_t key_us           # when it came
    LayerStream* layers       # NULL as long as no packet named any
    Reception reception
    NackGenerator nack
    KeyframeGate gate
    History history

cdef struct Link:             # to a worker that mirrors a producer
    InboxRing* inbox
    Link* next

cdef struct Producer:
    uint64_t id
    uint64_t home_id          # of a mirror: its id on the worker that it came in by; 0: it is at home here
    Link* links               # to its mirrors
    uint8_t is_video
    uint8_t paused
    uint8_t codec_count
    uint8_t encoding_count
    uint8_t codec_of[128]     # payload type -> codec index, NONE8: not negotiated
    uint8_t rtx_of[128]       # payload type -> codec index it repairs
    CodecRow codecs[CODECS_MAX]
    Name mid
    Transport* transport
    Consumer** consumers
    uint32_t consumer_count
    uint32_t consumer_capacity
    Encoding* encodings
    uint64_t asked_us         # when the publisher was asked for any key frame last
    uint8_t has_asked
    uint8_t upgrades          # encodings that somebody waits for who sees a lower one: bits
    AudioLevels levels        # of audio: since Python last asked
    Lateness lateness         # of video: of what its publisher had to send again
    uint8_t picture_delay     # as a transport's, for all who watch
    Producer* next            # of the same transport

cdef struct Consumer:
    uint64_t id
    Transport* transport
    Producer* producer        # NULL: empty slot
    uint32_t position         # in producer.consumers
    uint32_t ssrc
    uint32_t rtx_ssrc         # 0: resends go out on the media SSRC
    int64_t rtx_number        # of its next packet of RTX, extended
    int64_t first_number      # of the present keys, and of RTX: rollovers are counted from theirs (RFC 3711 3.3.1)
    int64_t first_rtx_number
    uint8_t numbered          # its viewer takes transport-wide numbers on it, and reports them
    uint8_t padding_type      # a payload type of its RTX stream, NONE8: it has none
    uint8_t probe_turn        # which of the last packets the next probe repeats
    int8_t wanted             # encoding index asked for
    uint8_t round_trip_known
    uint32_t packets
    uint32_t octets
    uint32_t report_ntp_middle # of the last sender report, and when it went out
    uint64_t report_us
    uint64_t report_due_us
    uint32_t round_trip_us
    uint32_t jitter           # RTP units, as the viewer reports it
    uint8_t fraction_lost
    uint8_t told_delay        # how long pictures wait, ever: from then on it is told of less, too
    uint8_t red_depth         # packets before it that each packet of sound repeats at present
    uint32_t asking_of        # the producer, the low bits of its id, that `asking_us` is about
    uint64_t red_until_us     # and until when, if no more is lost
    uint64_t nacked           # numbers asked for
    uint64_t resent
    uint64_t missed           # numbers that could not be answered
    uint64_t key_frames_asked
    uint64_t asking_us        # when the key frames that came for it are forgiven, which the others pay for
    uint8_t replaying         # it is being caught up on what came before it
    uint8_t replay_encoding
    int64_t replay_next       # extended number
    int64_t replay_credit     # bytes that may go out now
    uint64_t replay_us        # when the credit was counted
    int64_t unsent_from       # numbers that were given to packets which never left: pacer gave them up
    int64_t unsent_until
    ForwardState forward
    uint8_t payload_types[CODECS_MAX]      # by the producer's codec index, NONE8: the viewer cannot take it
    uint8_t rtx_payload_types[CODECS_MAX]  # of sound: RED (RFC 2198)
    Consumer* next            # of the same transport

cdef enum:
    PACED_PICTURES_MAX = 512  # two seconds of 2 Mbit/s
    PACED_REPEATS_MAX = 64    # what would wait behind more is asked for again before its turn comes

cdef struct PacedPacket:
    Consumer* consumer        # NULL: its slot went away
    int64_t extended          # of its source
    uint16_t size
    uint8_t encoding
    uint8_t padding
    uint8_t is_key            # of a key frame
    uint8_t twice             # a repeat, of which two go out
    uint8_t is_padding        # all of it, under the number of `rewrite`, with this type:
    uint8_t payload_type
    Rewrite rewrite

cdef struct Pacer:
    Transport* transport
    Pacer* next
    int first_picture
    int picture_count
    uint32_t picture_bytes
    int key_count             # packets of key frames among them
    uint32_t key_timestamp    # of the last key frame, as its viewer sees it
    int first_repeat
    int repeat_count
    PacedPacket pictures[PACED_PICTURES_MAX]
    PacedPacket repeats[PACED_REPEATS_MAX]

cdef struct Transport:
    uint64_t id
    uint8_t has_address       # where to send is known
    uint8_t allowed_count
    uint8_t stranger_count
    uint8_t picture_delay     # told with each picture, in 10 ms, plus 1; 0: nothing is
    uint16_t bound_count
    uint16_t filled_count     # of its consumers: slots that carry something
    uint16_t control_count    # STUN and DTLS datagrams since control_us
    uint16_t nack_count       # numbers asked for since nack_us
    uint64_t control_us
    uint64_t nack_us
    UdpAddress address
    AddressKey allowed[ADDRESSES_MAX] # what comes from here is ours
    void* inbound             # srtp_t of each direction, NULL until DTLS is done
    void* outbound
    const Sealer* sealer      # what seals RTP; NULL: `outbound` does
    uint32_t ssrc             # ours, in RTCP
    uint32_t last_media_ssrc
    uint64_t report_due_us
    uint64_t feedback_due_us
    uint64_t packets_in
    uint64_t bytes_in
    uint64_t last_packet_us
    TwccRecorder* twcc
    InboxRing* home           # of a mirror, which has no peer: the inbox of its publisher's worker
    Consent* consent          # what answers his repeated checks; NULL: the ICE agent sees them all
    Bandwidth* bandwidth      # of the way to the peer; NULL until somebody numbers, reports or wants
    Pacer* pacer              # what waits for that way to have room; NULL until something does
    Producer* producers
    Consumer* consumers
    Stream* streams
    Transport* next
    Transport* previous
    Transport* next_busy
    uint8_t is_busy     # in the list of those that are looked at often
    uint32_t strangers[STRANGERS_MAX]
    uint8_t in_kinds[256]     # header extension id -> kind, for packets that come
    uint8_t out_ids[KINDS_MAX] # kind -> id, for packets that go; 0: not sent

ctypedef struct Counters:
    uint64_t datagrams
    uint64_t truncated
    uint64_t unclassified     # first byte of no protocol of ours (RFC 7983)
    uint64_t unknown_address
    uint64_t strays           # of those: sealed with a peer's keys, which has moved
    uint64_t no_keys          # RTP or RTCP before DTLS is done
    uint64_t stun
    uint64_t stun_answered    # of those: repeated checks that did not need Python
    uint64_t dtls
    uint64_t control_flooded  # STUN and DTLS beyond what one transport can need
    uint64_t rtp_packets
    uint64_t rtp_bytes
    uint64_t rtcp_packets
    uint64_t srtp_rejected    # wrong key, or changed on the way
    uint64_t srtp_replayed
    uint64_t rtp_malformed
    uint64_t rtcp_malformed
    uint64_t strangers        # packets of more SSRCs than a transport may have
    uint64_t unrouted         # authenticated, but of no section that we know
    uint64_t unknown_payload_type
    uint64_t suspect          # wild jumps in sequence numbers
    uint64_t duplicates
    uint64_t probes           # padding without payload
    uint64_t paused           # packets of producers that are muted or unpublished
    uint64_t forwarded
    uint64_t sealed_failed
    uint64_t nack_asked       # of publishers
    uint64_t nack_recovered
    uint64_t nack_abandoned
    uint64_t nack_requested   # by viewers
    uint64_t nack_served
    uint64_t nack_missed
    uint64_t nack_suppressed  # asked again within a round trip
    uint64_t nack_flooded     # asked for beyond what one path can lose
    uint64_t key_frames_requested
    uint64_t key_frames_merged
    uint64_t key_frames_flooded # asked for by a viewer who had many not long ago
    uint64_t key_frames
    uint64_t switches
    uint64_t replayed         # packets sent to slots that came late
    uint64_t feedback         # messages on the paths to viewers
    uint64_t feedback_malformed
    uint64_t feedback_flooded # more of them than a receiver sends
    uint64_t feedback_unasked # about packets without transport-wide numbers
    uint64_t path_probes      # of the paths to viewers
    uint64_t path_probes_used # of those, that raised an estimate
    uint64_t path_probe_packets
    uint64_t path_probe_bytes
    uint64_t red_packets      # of sound, that repeat those before them
    uint64_t mirrored         # packets of producers of other workers
    uint64_t mirror_overflows # letters to other workers that found the inbox full
    uint64_t overtaken        # packets whose bytes were overwritten before they went out

cdef enum:
    PLAN_PACKETS_MAX = 32     # one UDP GSO message takes 64; a frame of 720p video is six packets, a key frame forty
    REPLAYS_MAX = 512         # slots caught up at a time; one more waits for the next key frame
    PROBES_MAX = 64           # paths probed at a time; the others wait for their turn
    TOLD_MAX = 16             # workers woken together
    PLANS_MAX = 8             # publishers whose packets of one batch are kept apart

cdef struct PlannedPacket:
    int64_t extended
    uint64_t arrival_us
    int frame_number          # of the dependency descriptor, -1 without one
    uint16_t length           # of payload and extensions
    uint8_t encoding
    uint8_t codec_index
    uint8_t is_new
    uint8_t padding           # bytes that make it as long as its neighbours

cdef struct Plan:
    Producer* producer
    int count
    uint32_t bytes
    PlannedPacket packets[PLAN_PACKETS_MAX]

ctypedef struct Core:
    Table addresses
    Table streams             # (transport id, ssrc) -> Stream
    Transport* transports
    Hearing hearing           # audio producers that were heard since Python last asked
    BandwidthNews bandwidth_news
    SendBatch send
    ReceiveBatch receive
    EventRing ring
    Counters counters
    uint64_t now_us           # of the step under way, and of the packets that it sends
    uint64_t scan_due_us      # of the slow look at every row
    Transport* busy           # who sends media or is to be probed, as of the last slow look: few in a large class
    uint64_t strays_us        # when the present window of strays began
    uint32_t strays_count     # of them in it
    int replay_count
    uint32_t replay_turn      # so that each run begins with another slot
    Consumer* replays[REPLAYS_MAX]
    uint8_t probe             # cluster of the path probe that is being sent, 0: what is sent is none
    int probing_count
    uint64_t probing_due_us
    Transport* probing[PROBES_MAX]
    Pacer* pacing             # paths for which something waits
    uint64_t pacing_due_us
    int told_count
    InboxRing* told[TOLD_MAX] # who was left a letter and not woken yet
    int plan_count
    Plan plans[PLANS_MAX]
