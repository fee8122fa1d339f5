# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Python's hand on one worker: its thread, its events and counters; and the worker without a thread, driven by hand."""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from media.native.audio_levels cimport LEVEL_SILENT, HeardLevels, hearing_take
from media.native.bandwidth cimport Bandwidth, BandwidthFact, bandwidth_take
from media.native.consent cimport Consent, consent_free, consent_new, consent_told
from media.native.dependency cimport DependencyStructure
from media.native.events cimport (
    EVENT_BYE, EVENT_DTLS, EVENT_ENCODING, EVENT_FORMAT, EVENT_STRAY, EVENT_STUN, EVENT_SWITCH, Event, ring_advance,
    ring_peek,
)
from media.native.fanout cimport flush_plans
from media.native.feedback cimport tick
from media.native.inbox cimport inbox_accept, inbox_waiting
from media.native.ingress cimport receive_datagram
from media.native.layers cimport LayerStream
from media.native.links cimport wake_told
from media.native.mirrors cimport read_letter
from media.native.plane cimport plane_cpu_ns, plane_lock, plane_now_us, plane_start, plane_stop, plane_unlock
from media.native.rows cimport Consumer, Counters, Encoding, Producer, Transport
from media.native.selection cimport LayerSelection
from media.native.seqmap cimport SequenceMap
from media.native.twcc cimport TwccRecorder
from media.native.udp cimport DATAGRAM_MAX, UdpAddress, format_address, parse_address, send_flush
from media.native.worker_mirrors cimport WorkerMirrors

cdef enum:
    VIDEO_CLOCK_HZ = 90000
    AUDIO_CLOCK_HZ = 48000

cdef enum:
    FACTS_MAX = 256
    HEARD_MAX = 256  # producers read under one lock: some 10 us that the data plane may have to wait

STUN = EVENT_STUN
DTLS = EVENT_DTLS
ENCODING = EVENT_ENCODING
FORMAT = EVENT_FORMAT
SWITCH = EVENT_SWITCH
BYE = EVENT_BYE
STRAY = EVENT_STRAY


@cython.auto_pickle(False)
cdef class Worker(WorkerMirrors):
    """One data plane: its rows, its socket, and its thread once started.

    `descriptor` is a bound, non-blocking UDP socket of `family`; -1 captures what would be sent, for use without a
    thread. `wake_descriptor` and `event_descriptor` are eventfds: the first ends the thread's wait, the second tells
    Python that events came. All ids are chosen by the caller, unique, and not 0.
    """

    # -- the thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the data-plane thread. RuntimeError if the system refuses one."""
        if self.plane.descriptor < 0 or self.plane.wake_descriptor < 0:
            raise ValueError("a worker without socket and wake descriptor cannot run a thread")
        if not self.plane.running and plane_start(&self.plane) < 0:
            raise RuntimeError("the system refused a thread for the data plane")
        if self.own is not None:
            inbox_accept(self.own.ring, True)

    def stop(self) -> None:
        """End the thread; the rows stay. Other workers have nobody to wake any more."""
        if self.own is not None:
            inbox_accept(self.own.ring, False)
        with nogil:
            plane_stop(&self.plane)

    def use_gso(self, bint on) -> None:
        """Let runs of one size to one viewer leave as one message (UDP_SEGMENT, Linux 4.18), or not."""
        self.plane.core.send.gso = on

    def cpu_ns(self) -> int:
        """Return the CPU time of the thread in nanoseconds."""
        return plane_cpu_ns(&self.plane)

    # -- consent ------------------------------------------------------------------------------------------------

    def answer_checks(self, uint64_t transport, bytes username, bytes password) -> bool:
        """From now on answer checks of these credentials from the address that is sent to; False if that cannot be.

        All other checks go on to be events. Once more replaces the credentials.
        """
        cdef Transport* row = self.transport(transport)
        cdef Consent* fresh
        cdef Consent* old
        fresh = consent_new(username, len(username), password, len(password), &row.address) if row.has_address else NULL
        with nogil:
            plane_lock(&self.plane)
            old = row.consent
            row.consent = fresh
            plane_unlock(&self.plane)
        consent_free(old)
        return fresh != NULL

    def leave_checks(self, uint64_t transport) -> None:
        """Let every check be an event again."""
        cdef Transport* row = self.transport(transport)
        cdef Consent* old
        with nogil:
            plane_lock(&self.plane)
            old = row.consent
            row.consent = NULL
            plane_unlock(&self.plane)
        consent_free(old)

    def take_checks(self, uint64_t transport) -> tuple[int, bytes] | None:
        """Return how long ago (us) the last check was answered, and the ids (12 bytes each) since the last call.

        None if there was none since. Of more than 24 the last 24 are told.
        """
        cdef Transport* row = self.transport(transport)
        cdef Consent copy
        cdef uint64_t now_us
        with nogil:
            plane_lock(&self.plane)
            now_us = plane_now_us(&self.plane)
            if row.consent != NULL:
                copy = row.consent[0]
                row.consent.untold = 0
            else:
                copy.untold = 0
            plane_unlock(&self.plane)
        if copy.untold == 0:
            return None
        return max(<int64_t>now_us - <int64_t>copy.heard_us, 0), consent_told(&copy)

    # -- what happened ------------------------------------------------------------------------------------------

    def drain_events(self, int limit=256) -> list[tuple[int, int, int, int, int, int, tuple[str, int], bytes]]:
        """Return events that wait, oldest first: (kind, transport, first, second, third, fourth, source, payload).

        What the numbers mean for each kind stands in events.pxd. Only one thread may call this.
        """
        cdef Event* event
        cdef list events = []
        while len(events) < limit:
            event = ring_peek(&self.plane.core.ring)
            if event == NULL:
                break
            events.append((
                event.kind, event.transport, event.first, event.second, event.third, event.fourth,
                format_address(&event.source), (<const uint8_t*>event.payload)[:event.size],
            ))
            ring_advance(&self.plane.core.ring)
        return events

    def take_audio_levels(self, uint8_t quietest=LEVEL_SILENT) -> list[tuple[int, int, bytes]]:
        """Return and forget (transport, producer, levels) of audio that came since the last call.

        Each byte is a packet's audio level, oldest first: -dBov below, the voice flag in the top bit (RFC 6464);
        at most the last 16. Who was not louder than `quietest` in any packet is left out, as is who is paused.
        """
        cdef HeardLevels heard[HEARD_MAX]
        cdef list readings = []
        cdef int i, count = HEARD_MAX
        while count == HEARD_MAX:
            with nogil:
                plane_lock(&self.plane)
                count = hearing_take(&self.plane.core.hearing, quietest, heard, HEARD_MAX)
                plane_unlock(&self.plane)
            for i in range(count):
                levels = (<const uint8_t*>heard[i].levels)[:heard[i].count]
                readings.append((heard[i].transport, heard[i].producer, levels))
        return readings

    def take_estimates(self) -> list[tuple[int, int, float, int]]:
        """Return (transport, estimate in bit/s, loss 0 to 1, round trip in us) of paths that changed since last told.

        The estimate is of UDP payloads. Changed is what moved by more than 3 %, 2 % of loss or 20 ms; who sent no
        feedback of transport-wide numbers and no REMB is never told of.
        """
        cdef BandwidthFact facts[FACTS_MAX]
        cdef list told = []
        cdef int i, count = FACTS_MAX
        while count == FACTS_MAX:
            with nogil:
                plane_lock(&self.plane)
                count = bandwidth_take(&self.plane.core.bandwidth_news, facts, FACTS_MAX)
                plane_unlock(&self.plane)
            for i in range(count):
                told.append((facts[i].transport, facts[i].estimate_bps, facts[i].loss, facts[i].round_trip_us))
        return told

    def counters(self) -> dict[str, int]:
        """Return all counters since the start, by name."""
        cdef Counters counters = self.plane.core.counters
        named = dict(counters)
        named["sent"] = self.plane.core.send.sent
        named["sent_bytes"] = self.plane.core.send.sent_bytes
        named["send_refused"] = self.plane.core.send.refused
        named["send_overflowed"] = self.plane.core.send.overflowed
        named["send_runs"] = self.plane.core.send.runs
        named["send_runs_split"] = self.plane.core.send.split
        named["events_dropped"] = self.plane.core.ring.dropped
        return named

    def latency(self) -> tuple[list[int], int]:
        """Return how many batches took how long to be forwarded (buckets of latency.bounds_us), and their sum in us."""
        return list(self.plane.latency.counts), self.plane.latency.sum_us

    def rows(self) -> tuple[int, int, int]:
        """Return how many transports, producers and consumers there are; mirrors are counted at home."""
        return len(self.transports), len(self.producers) - len(self.mirrors), len(self.consumers)

    def encoding_stats(self, uint64_t producer, uint8_t encoding) -> dict[str, int]:
        """Return reception statistics of one encoding; jitter in RTP units, bitrate in bit/s."""
        cdef Producer* row = self.producer(producer)
        cdef Encoding* at
        if encoding >= row.encoding_count:
            raise ValueError(f"encoding is {encoding}, expected below {row.encoding_count}")
        at = &row.encodings[encoding]
        return {
            "ssrc": at.ssrc, "active": at.active, "packets": at.packets, "bytes": at.bytes, "lost": at.reception.lost,
            "recovered": at.reception.recovered, "jitter": at.reception.jitter, "bitrate_bps": at.bitrate_bps,
            "width": at.width, "height": at.height, "nack_asked": at.nack.asked, "nack_arrived": at.nack.arrived,
            "key_frames": at.gate.key_frames, "key_frames_requested": at.gate.requested,
        }

    def consumer_stats(self, uint64_t consumer) -> dict[str, int]:
        """Return what a slot sent and what its viewer reports: jitter in RTP units, loss in 1/256."""
        cdef Consumer* row = self.consumer(consumer)
        return {
            "packets": row.packets, "octets": row.octets, "nacked": row.nacked, "resent": row.resent,
            "missed": row.missed, "encoding": row.forward.encoding, "target": row.forward.target,
            "round_trip_us": row.round_trip_us, "jitter": row.jitter, "fraction_lost": row.fraction_lost,
            "key_frames_asked": row.key_frames_asked,
        }

    def layer_stats(self, uint64_t producer, uint8_t encoding) -> list[tuple[int, int, int, int, int, int]]:
        """Return what is known of the layers of one encoding, empty if it has none.

        For each (spatial, temporal) layer that is sent, with all that it needs: both ids, the bytes that came since the
        start, the bitrate in bit/s, and width and height (0 if not known).
        """
        cdef Producer* row = self.producer(producer)
        cdef LayerStream* layers
        cdef DependencyStructure* structure
        cdef list told = []
        cdef int i, spatial
        if encoding >= row.encoding_count:
            raise ValueError(f"encoding is {encoding}, expected below {row.encoding_count}")
        layers = row.encodings[encoding].layers
        if layers == NULL or layers.source == 0:
            return told
        structure = &layers.structure
        for i in range(structure.targets.count):
            spatial = structure.targets.spatial[i]
            if layers.active >> i & 1:
                told.append((spatial, structure.targets.temporal[i], layers.bytes[i], layers.bitrate_bps[i],
                    structure.widths[spatial], structure.heights[spatial]))
        return told

    def received_bytes(self, uint64_t producer) -> tuple[int, ...]:
        """Return the bytes that came for each encoding since the start, resends included."""
        cdef Producer* row = self.producer(producer)
        return tuple([row.encodings[i].bytes for i in range(row.encoding_count)])

    def offered_bytes(self, uint64_t producer) -> tuple[int, ...]:
        """Return the bytes that came for each encoding since the start, each packet once: probes repeat some."""
        cdef Producer* row = self.producer(producer)
        return tuple([row.encodings[i].reception.bytes for i in range(row.encoding_count)])

    def path_stats(self, uint64_t transport) -> dict[str, int]:
        """Return what is known of the way to one peer and back.

        From the peer: packets `received` and `lost` since the start (`lost` before repair), `jitter_in_us` now. To the
        peer, as its last reports have it: `loss_out` (1/256, the mean of its slots by what they sent), `jitter_out_us`,
        and `round_trip_us`; 0 where nothing is known.
        """
        cdef Transport* row = self.transport(transport)
        cdef Producer* producer = row.producers
        cdef Consumer* consumer = row.consumers
        cdef Encoding* at
        cdef int i
        cdef int64_t received = 0, lost = 0
        cdef uint64_t jitter_in = 0, jitter_out = 0, round_trip = 0, sent = 0, weighted = 0
        while producer != NULL:
            for i in range(producer.encoding_count):
                at = &producer.encodings[i]
                if at.bound and at.reception.started:
                    received += at.reception.received
                    lost += at.reception.lost
                    if at.active:
                        jitter_in = max(jitter_in, <uint64_t>at.reception.jitter * 1000000
                            // at.reception.clock_rate_hz)
            producer = producer.next
        while consumer != NULL:
            if consumer.producer != NULL and consumer.packets:
                sent += consumer.packets
                weighted += <uint64_t>consumer.packets * consumer.fraction_lost
                jitter_out = max(jitter_out, <uint64_t>consumer.jitter * 1000000
                    // (VIDEO_CLOCK_HZ if consumer.producer.is_video else AUDIO_CLOCK_HZ))
                if consumer.round_trip_known:
                    round_trip = max(round_trip, consumer.round_trip_us)
            consumer = consumer.next
        return {
            "received": received, "lost": lost, "jitter_in_us": jitter_in, "sent": sent,
            "loss_out": weighted // sent if sent else 0, "jitter_out_us": jitter_out, "round_trip_us": round_trip,
        }

    def memory_per_viewer(self) -> dict[str, int]:
        """Return the bytes of one row of each kind that a viewer may need, SRTP state apart."""
        return {
            "transport": sizeof(Transport), "consumer": sizeof(Consumer), "sequence_map": sizeof(SequenceMap),
            "twcc": sizeof(TwccRecorder), "bandwidth": sizeof(Bandwidth), "layers": sizeof(LayerSelection),
        }

    # -- without a thread ---------------------------------------------------------------------------------------

    def feed(self, bytes datagram, tuple source, uint64_t now_us, bint more=False) -> None:
        """Take one datagram as if it had come from `source` at `now_us` (no thread may run).

        `more` says that others of the same batch follow: what goes out may wait for them.
        """
        cdef uint8_t buffer[DATAGRAM_MAX]
        cdef UdpAddress address
        cdef int size = len(datagram)
        if self.plane.running:
            raise ValueError("the data-plane thread runs: feed is for workers driven by hand")
        if size > DATAGRAM_MAX:
            raise ValueError(f"datagram is {size} bytes, expected at most {DATAGRAM_MAX}")
        parse_address(source[0], source[1], self.family, &address)
        memcpy(buffer, <const uint8_t*>datagram, size)
        self.plane.given_us = now_us
        with nogil:
            receive_datagram(&self.plane.core, buffer, size, &address, now_us)
            if not more:
                wake_told(&self.plane.core)
                flush_plans(&self.plane.core)
                send_flush(&self.plane.core.send)

    def read_letters(self, uint64_t now_us) -> None:
        """Do at `now_us` what the other workers have left in the inbox (no thread may run)."""
        if self.plane.running:
            raise ValueError("the data-plane thread runs: read_letters is for workers driven by hand")
        self.plane.given_us = now_us
        with nogil:
            while self.plane.inbox != NULL and inbox_waiting(self.plane.inbox):
                read_letter(&self.plane.core, self.plane.inbox, now_us)
            flush_plans(&self.plane.core)
            send_flush(&self.plane.core.send)

    def tick(self, uint64_t now_us) -> None:
        """Do what is due at `now_us` (no thread may run)."""
        if self.plane.running:
            raise ValueError("the data-plane thread runs: tick is for workers driven by hand")
        self.plane.given_us = now_us
        with nogil:
            tick(&self.plane.core, now_us)
            send_flush(&self.plane.core.send)

    def take_datagrams(self) -> list[tuple[bytes, tuple[str, int]]]:
        """Return and forget what was captured: (datagram, destination), in order."""
        cdef list datagrams = []
        cdef size_t at = 0
        cdef size_t size
        cdef UdpAddress address
        cdef uint8_t* base = self.plane.core.send.captured
        while at < self.plane.core.send.captured_size:
            memcpy(&address, base + at, sizeof(UdpAddress))
            memcpy(&size, base + at + sizeof(UdpAddress), sizeof(size_t))
            at += sizeof(UdpAddress) + sizeof(size_t)
            datagrams.append(((<const uint8_t*>base + at)[:size], format_address(&address)))
            at += size
        self.plane.core.send.captured_size = 0
        return datagrams
