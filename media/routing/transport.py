"""One peer's transport as routing knows it: the pure ICE and DTLS machine, its native row, its keys, its tracks."""

from __future__ import annotations

from typing import Final

from media.errors import LocalError
from media.native.libsrtp import Profile
from media.native.sealer import GCM_PROFILES, PacketSealer
from media.native.srtp import SrtpSession
from media.routing.consent import Consent
from media.routing.consumer import Consumer
from media.routing.path import UNKNOWN_PATH, PathCounters, path_counters
from media.routing.path_estimate import PathEstimate
from media.routing.ports import Shell, TransportListener
from media.routing.producer import Producer
from media.routing.progress import Progress, Step
from media.routing.totals import TransportTotals, count_totals
from media.rtp.parameters import (
    Address,
    ConsumerParameters,
    IceCredentials,
    LocalTransport,
    MediaKind,
    ProducerParameters,
    RemoteTransport,
    Ssrc,
)
from media.transport.ice_credentials import make_credentials
from media.transport.keys import DtlsRole, SrtpKeys, SrtpProfile
from media.transport.outputs import (
    AddressForgotten,
    AddressSelected,
    AddressValidated,
    Closed,
    CloseReason,
    Connected,
    ConsentExpired,
    PathAlive,
    PathSilent,
    SendDatagram,
)
from media.transport.transport import Transport as TransportMachine

_PROFILES: Final = {
    SrtpProfile.AEAD_AES_128_GCM: Profile.AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: Profile.AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80: Profile.AES128_CM_SHA1_80,
}
_WANTED_MAX_BPS: Final = 0xFFFFFFFF  # of the native row's field
_FIRST_NUMBER_MAX: Final = 32767  # libsrtp mis-guesses a rollover after loss near 65535


class Transport:
    """One ICE + DTLS + SRTP pipe to one peer, with the producers and consumers that run over it."""

    def __init__(self, remote: RemoteTransport, listener: TransportListener, shell: Shell) -> None:
        self.id = shell.new_id()
        self.producers: list[Producer] = []
        self.consumers: list[Consumer] = []
        self._shell = shell
        self._listener = listener
        self._extensions = dict(remote.extensions)
        self._sessions: tuple[SrtpSession | PacketSealer, ...] = ()
        self._ended = False
        self._draining = False
        self._credentials = make_credentials(shell.token)
        self._machine = TransportMachine(
            local=self._credentials,
            remote=remote,
            services=shell.services,
            application_data=False,
            now=shell.now(),
            dtls_role=DtlsRole.CLIENT if remote.awaits_dtls else DtlsRole.SERVER,
            config=shell.transport_config,
        )
        in_kinds, out_ids = self._tables()
        shell.worker.add_transport(self.id, self._new_ssrc(), in_kinds, out_ids)
        self._consent = Consent(shell.worker, self.id, self._machine)
        shell.register(self, self._credentials.ufrag)
        self.progress = Progress(shell.now())
        self._totals = TransportTotals()
        self._wanted_bps = 0
        self.estimate: PathEstimate | None = None
        """What the way to the peer carries, as last told; None as long as the peer has told nothing of it."""

    @property
    def totals(self) -> TransportTotals:
        """What went over it so far, or in all once it has ended."""
        if self._ended:
            return self._totals
        return count_totals(self._shell.worker, self.producers, self.consumers, self.path)

    @property
    def local(self) -> LocalTransport:
        """What the peer must be told about our end."""
        return LocalTransport(self._credentials, self._shell.fingerprint, self._shell.candidates)

    @property
    def state(self) -> str:
        """Return "new", "connected" or "closed"."""
        if self._ended:
            return "closed"
        return "connected" if self._machine.connected else "new"

    @property
    def path(self) -> PathCounters:
        """What is known of the way to the peer and back."""
        return UNKNOWN_PATH if self._ended else path_counters(self._shell.worker.path_stats(self.id))

    def restart_ice(self, remote: IceCredentials) -> LocalTransport:
        """Take new credentials of the peer and make new ones; the old stay valid until a check with the new ones."""
        self._must_be_open()
        self._credentials = make_credentials(self._shell.token)
        self._machine.restart_ice(self._credentials, remote, now=self._shell.now())
        self._shell.register(self, self._credentials.ufrag)
        self._shell.wake(self)
        return self.local

    def add_extensions(self, extensions: dict[int, str]) -> None:
        """Take header extensions that a re-offer added."""
        self._must_be_open()
        self._extensions.update(extensions)
        self._shell.worker.set_extensions(self.id, *self._tables())
        for producer in self.producers:
            producer.renew_kinds()

    def produce(self, parameters: ProducerParameters) -> Producer:
        """Add a section on which the peer sends; it starts paused. ValueError for parameters that cannot work."""
        self._must_be_open()
        self.producers = [earlier for earlier in self.producers if not earlier.closed]
        producer = Producer(
            self._shell.new_id(),
            self.id,
            parameters,
            self._shell.worker,
            in_kinds=lambda: self._tables()[0],
            new_id=self._shell.new_id,
        )
        self.producers.append(producer)
        return producer

    def consume(self, parameters: ConsumerParameters) -> Consumer:
        """Add an empty slot; its SSRCs are drawn here and stay."""
        self._must_be_open()
        self.consumers = [earlier for earlier in self.consumers if not earlier.closed]
        has_rtx = parameters.kind is MediaKind.VIDEO and any(codec.rtx_payload_type for codec in parameters.codecs)
        first_number = 1 + int.from_bytes(self._shell.token(2)) % _FIRST_NUMBER_MAX
        consumer = Consumer(
            self._shell.new_id(),
            self.id,
            parameters,
            self._shell.worker,
            ssrc=self._new_ssrc(),
            rtx_ssrc=self._new_ssrc() if has_rtx else None,
            first_number=first_number,
        )
        self.consumers.append(consumer)
        return consumer

    def want(self, bitrate_bps: int) -> None:
        """Say how much could be used toward this peer; as long as the estimate is below, its path is probed for more.

        0, as at the start: nothing is sent only to learn. ValueError outside 0 to 2^32 - 1.
        """
        if not 0 <= bitrate_bps <= _WANTED_MAX_BPS:
            raise ValueError(f"{bitrate_bps} bit/s are wanted, expected 0 to {_WANTED_MAX_BPS}")
        if not self._ended and bitrate_bps != self._wanted_bps:
            self._wanted_bps = bitrate_bps
            self._shell.worker.set_wanted(self.id, bitrate_bps)

    def close(self) -> None:
        """Say goodbye and give everything back; the listener is not called."""
        if not self._ended:
            self._machine.close()
            self._drain()

    # -- driven by the shell --------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address) -> None:
        """Take a STUN or DTLS datagram."""
        now = self._shell.now()
        self._consent.take(now=now)
        self._machine.receive(data, source, now=now)
        self._drain()

    def take_stray(self) -> None:
        """The native core saw a packet that the peer sealed, from an address that no check came from."""
        now = self._shell.now()
        self._consent.take(now=now)
        self._machine.suspect_move(now=now)
        self._drain()

    def handle_timeout(self) -> None:
        now = self._shell.now()
        self._consent.take(now=now)
        self._machine.handle_timeout(now=now)
        self._drain()

    def next_timeout(self) -> float | None:
        return self._machine.next_timeout()

    def find_producer(self, producer_id: int) -> Producer | None:
        return next((producer for producer in self.producers if producer.id == producer_id), None)

    def find_consumer(self, consumer_id: int) -> Consumer | None:
        return next((consumer for consumer in self.consumers if consumer.id == consumer_id), None)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Carry out what the machine says; a listener that calls back in is served by the loop that runs already."""
        if self._draining:
            return
        self._draining = True
        try:
            while outputs := self._machine.take_output():
                for output in outputs:
                    self._carry_out(output)
        finally:
            self._draining = False
        if not self._ended:
            self._consent.arrange()
            self._shell.wake(self)

    def _carry_out(self, output: object) -> None:
        worker = self._shell.worker
        match output:
            case SendDatagram(data=data, destination=destination):
                self._shell.send(data, destination)
            case AddressValidated(address=address) if not self._ended:
                worker.allow_address(self.id, *address)
            case AddressForgotten(address=address) if not self._ended:
                worker.forget_address(self.id, *address)
            case AddressSelected(address=address) if not self._ended:
                worker.set_address(self.id, *address)
                self.progress.reach(Step.ICE, now=self._shell.now())
            case ConsentExpired() if not self._ended:
                worker.clear_address(self.id)
            case PathSilent():
                self._listener.on_silent(now=self._shell.now())
            case PathAlive():
                if not self._ended:
                    worker.renew_pictures(self.id)
                self._listener.on_alive()
            case Connected(keys=keys) if not self._ended:
                self._take_keys(keys)
                self.progress.reach(Step.DTLS, now=self._shell.now())
                self._listener.on_connected()
            case Closed(reason=reason):
                self._end()
                self.progress.end(reason.value)
                if reason is not CloseReason.LOCAL:
                    self._listener.on_closed(reason.value)
            case _:
                pass  # addresses and keys after the end; data, which is never negotiated

    def _take_keys(self, keys: SrtpKeys) -> None:
        profile = _PROFILES[keys.profile]
        inbound = SrtpSession(profile, keys.inbound, "inbound")
        outbound = SrtpSession(profile, keys.outbound, "outbound")
        if profile in GCM_PROFILES:
            sealer = PacketSealer(profile, keys.outbound)
            self._sessions = (inbound, outbound, sealer)
            self._shell.worker.set_keys(self.id, inbound.handle, outbound.handle, sealer.handle)
        else:
            self._sessions = (inbound, outbound)
            self._shell.worker.set_keys(self.id, inbound.handle, outbound.handle)

    def _end(self) -> None:
        """Give everything back. The row goes first: only then may the SRTP sessions be freed."""
        if self._ended:
            return
        self._totals = self.totals
        self._ended = True
        self._shell.unregister(self)
        for consumer in self.consumers:
            consumer.close()
        for producer in self.producers:
            producer.close()
        self._shell.worker.remove_transport(self.id)
        for session in self._sessions:
            session.close()
        self._sessions = ()

    def _tables(self) -> tuple[bytes, bytes]:
        kinds = self._shell.kinds
        return kinds.in_table(self._extensions), kinds.out_table(self._extensions)

    def _new_ssrc(self) -> Ssrc:
        return Ssrc(int.from_bytes(self._shell.token(4)) or 1)

    def _must_be_open(self) -> None:
        if self._ended:
            raise LocalError("the transport is closed")
