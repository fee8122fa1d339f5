"""A test peer's end of a transport: one UDP socket with full, controlling ICE, the client of DTLS, and SRTP."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import socket
import time
from collections.abc import Callable

import pylibsrtp
from aioice import stun

from media.rtp.parameters import Address, Fingerprint, IceCredentials
from media.transport.certificate import generate_certificate
from media.transport.counters import DropCounters
from media.transport.dtls import DtlsConnection, DtlsState
from media.transport.dtls_context import DtlsContext
from media.transport.keys import DtlsRole, SrtpKeys, SrtpProfile
from media.transport.outputs import ApplicationData, Closed, Connected, DtlsDatagram

CHECK_INTERVAL_S = 0.05  # RFC 8445 section 14.2
KEEPALIVE_INTERVAL_S = 2.5
CONNECT_TIMEOUT_S = 20.0
RECEIVE_BUFFER_BYTES = 1 << 20  # the test's event loop may be busy with twenty others
HOST_PRIORITY = 2113937151

_PROFILES = {
    SrtpProfile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}

Receiver = Callable[[bytes], None]


@functools.cache
def peer_context() -> DtlsContext:
    """Return the certificate that all test peers of a process share; making one takes a while."""
    return DtlsContext(generate_certificate(wallclock=dt.datetime.now(dt.UTC)))


def binding_request(local: IceCredentials, remote: IceCredentials, *, nominate: bool = True) -> bytes:
    """Return a connectivity check of a controlling agent, with MESSAGE-INTEGRITY and FINGERPRINT."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{remote.ufrag}:{local.ufrag}"
    message.attributes["PRIORITY"] = HOST_PRIORITY
    message.attributes["ICE-CONTROLLING"] = 0x1234567890ABCDEF
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(remote.password.encode())
    message.add_fingerprint()
    return bytes(message)


class PeerLink(asyncio.DatagramProtocol):
    """Open it, wait for `connected`, then send; what comes is authenticated before a receiver sees it."""

    def __init__(
        self,
        *,
        local: IceCredentials,
        remote: IceCredentials,
        fingerprint: Fingerprint,
        server: Address,
        on_rtp: Receiver,
        on_rtcp: Receiver,
    ) -> None:
        self.rejected = 0
        """Packets that did not open with the server's keys."""
        self.record: list[bytes] | None = None
        """If a list: every sealed RTP packet that goes out is kept here."""
        self.on_dtls: Callable[[], object] = lambda: None
        """Called when the server's DTLS has come, before it is answered."""
        self.last_check = b""
        """The newest STUN request that went out."""
        self.closed: Closed | None = None
        self.cut = False
        """Whether the network is gone: nothing goes out, nothing comes in."""
        self.server = server
        self._local, self._remote = local, remote
        self._fingerprint = fingerprint
        self._on_rtp, self._on_rtcp = on_rtp, on_rtcp
        self._loop = asyncio.get_running_loop()
        self._socket: asyncio.DatagramTransport | None = None
        self._dtls: DtlsConnection | None = None
        self._inbound: pylibsrtp.Session | None = None
        self._outbound: pylibsrtp.Session | None = None
        self._check_timer: asyncio.TimerHandle | None = None
        self._dtls_timer: asyncio.TimerHandle | None = None
        self._checks_only = False
        self._checked = asyncio.Event()
        self._connected: asyncio.Future[None] = self._loop.create_future()

    @property
    def connected(self) -> bool:
        return self._outbound is not None

    @property
    def credentials(self) -> tuple[IceCredentials, IceCredentials]:
        """Ours and the server's."""
        return self._local, self._remote

    async def bind(self) -> Address:
        """Take a port of 127.0.0.1; nothing is sent yet."""
        transport, _ = await self._loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._socket = transport
        taken: socket.socket = transport.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        address: Address = transport.get_extra_info("sockname")
        return address

    async def check(self, within_s: float = CONNECT_TIMEOUT_S) -> None:
        """Let the server know our address, and go no further."""
        self._checks_only = True
        self._check()
        async with asyncio.timeout(within_s):
            await self._checked.wait()

    async def connect(self, within_s: float = CONNECT_TIMEOUT_S) -> None:
        """Check, nominate, shake hands."""
        self._checks_only = False
        if self._check_timer is None:
            self._check()
        async with asyncio.timeout(within_s):
            await self._connected

    def restart_ice(self, local: IceCredentials, remote: IceCredentials) -> None:
        """Check with other credentials from now on, at once."""
        self._local, self._remote = local, remote
        if self._check_timer is not None:
            self._check_timer.cancel()
        self._check()

    def send_rtp(self, packet: bytes) -> None:
        if self._outbound is not None:
            sealed = self._outbound.protect(packet)
            if self.record is not None:
                self.record.append(sealed)
            self.send_raw(sealed)

    def send_rtcp(self, packet: bytes) -> None:
        if self._outbound is not None:
            self.send_raw(self._outbound.protect_rtcp(packet))

    def send_raw(self, datagram: bytes) -> None:
        """Send a datagram as it is, to the server and from our address."""
        if not self.cut and self._socket is not None and not self._socket.is_closing():
            self._socket.sendto(datagram, self.server)

    def close(self, *, goodbye: bool = True) -> None:
        """Close the socket, with a close_notify before if `goodbye`."""
        if self._dtls is not None and goodbye:
            self._dtls.close()
            self._drain_dtls()
        for timer in (self._check_timer, self._dtls_timer):
            if timer is not None:
                timer.cancel()
        self._check_timer = self._dtls_timer = None
        self._inbound = self._outbound = None
        if not self._connected.done():
            self._connected.cancel()
        if self._socket is not None:
            self._socket.close()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not data or addr != self.server or self.cut:
            return
        if 128 <= data[0] <= 191:
            self._receive_media(data)
        elif 20 <= data[0] <= 63:
            if self._dtls is not None:
                self.on_dtls()
                self._dtls.receive(data, now=time.monotonic())
                self._drain_dtls()
        elif data[0] <= 3:
            self._receive_stun(data)

    def _check(self) -> None:
        self.last_check = binding_request(self._local, self._remote)
        self.send_raw(self.last_check)
        interval = KEEPALIVE_INTERVAL_S if self._dtls is not None else CHECK_INTERVAL_S
        self._check_timer = self._loop.call_later(interval, self._check)

    def _receive_stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.message_class is not stun.Class.RESPONSE or self._dtls is not None:
            return
        assert message.check_message_integrity(self._remote.password.encode()), "the server's answer is not authentic"
        self._checked.set()
        if self._checks_only:
            return
        self._dtls = DtlsConnection(
            peer_context(),
            role=DtlsRole.CLIENT,
            remote_fingerprints=(self._fingerprint,),
            drops=DropCounters(),
            application_data=False,
            now=time.monotonic(),
        )
        self._dtls.start(now=time.monotonic())
        self._drain_dtls()

    def _receive_media(self, data: bytes) -> None:
        if self._inbound is None:
            return  # it came before our end of the handshake was done; the slot's numbers tell if it is missed
        try:
            if 192 <= data[1] <= 223:
                self._on_rtcp(self._inbound.unprotect_rtcp(data))
            else:
                self._on_rtp(self._inbound.unprotect(data))
        except pylibsrtp.Error:
            self.rejected += 1

    def _drain_dtls(self) -> None:
        assert self._dtls is not None
        for output in self._dtls.take_output():
            match output:
                case DtlsDatagram(data=data):
                    self.send_raw(data)
                case Connected(keys=keys):
                    self._take_keys(keys)
                case Closed():
                    self.closed = output
                    if not self._connected.done():
                        self._connected.set_exception(ConnectionError(f"DTLS ended: {output}"))
                case ApplicationData():
                    pass
        if self._dtls_timer is not None:
            self._dtls_timer.cancel()
            self._dtls_timer = None
        due = self._dtls.next_timeout()
        if due is not None and self._dtls.state is not DtlsState.CLOSED:
            self._dtls_timer = self._loop.call_later(max(due - time.monotonic(), 0.0), self._on_dtls_timer)

    def _on_dtls_timer(self) -> None:
        assert self._dtls is not None
        self._dtls_timer = None
        self._dtls.handle_timeout(now=time.monotonic())
        self._drain_dtls()

    def _take_keys(self, keys: SrtpKeys) -> None:
        self._inbound = open_srtp(keys.profile, keys.inbound, inbound=True)
        self._outbound = open_srtp(keys.profile, keys.outbound, inbound=False)
        if not self._connected.done():
            self._connected.set_result(None)


def open_srtp(profile: SrtpProfile, key: bytes, *, inbound: bool) -> pylibsrtp.Session:
    """Return a session of the foreign library for all SSRCs of one direction."""
    direction = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=_PROFILES[profile])
    policy.window_size = 1024
    policy.allow_repeat_tx = True
    return pylibsrtp.Session(policy)
