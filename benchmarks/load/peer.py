"""One participant: joins, and sends clips or watches until it leaves; its packets are the native thread's business."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmarks.counted.clip import SIMULCAST, Codec
from benchmarks.load.clips import Layers, sound_frames, video_frames
from benchmarks.load.entrance import Entrance, Message
from benchmarks.load.failures import MalformedAnswerError
from benchmarks.load.path import Path
from benchmarks.load.sections import (
    EXTENSIONS,
    OPUS,
    VIDEO_TYPES,
    Answer,
    AnsweredSection,
    Section,
    make_credentials,
    read_answer,
    write_offer,
)
from media.native.load_plane import LoadPlane
from media.native.payload import CODEC_H264, CODEC_OPUS, CODEC_VP8
from media.native.rtp import write_extensions
from media.native.srtp import Profile, SrtpSession
from media.rtp.extensions import AUDIO_LEVEL, MID, REPAIRED_RID, RID, TRANSPORT_SEQUENCE
from media.transport.dtls_context import DtlsContext
from media.transport.keys import SrtpKeys, SrtpProfile

ROLE_RTX: Final = 100
ROLES: Final = {"vp8": CODEC_VP8, "h264": CODEC_H264, "opus": CODEC_OPUS, "rtx": ROLE_RTX}
PROFILES: Final = {
    SrtpProfile.AEAD_AES_128_GCM: Profile.AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: Profile.AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80: Profile.AES128_CM_SHA1_80,
}
SOUND_MID: Final = "0"
VIDEO_MID: Final = "1"
VOICE: Final = bytes([0x80 | 30])
"""RFC 6464: somebody speaks, at -30 dBov."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a publisher sends."""

    codec: Codec = Codec.VP8
    layers: Layers = Layers.SIMULCAST
    single_rid: str = "f"
    """Whose size and bitrate a single stream has."""
    video_bps: int | None = None
    """Of the highest (or only) encoding, if not the usual."""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Watching:
    """What a viewer takes."""

    videos: int = 1
    sounds: int = 3
    height: int | None = None
    """Wanted height; None: what the server chooses."""
    loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Attending:
    """Somebody with a camera who watches the others."""

    sending: Sending
    watching: Watching


Work: TypeAlias = Sending | Watching | Attending


@dataclass(slots=True)
class Times:
    """Wall clock, seconds; 0: not yet."""

    asked: float = 0.0
    connected: float = 0.0
    faults: list[str] = field(default_factory=list)


class Peer:
    """Made for one stay: `join`, later `leave`."""

    def __init__(
        self,
        plane: LoadPlane,
        context: DtlsContext,
        work: Work,
        *,
        gro: bool = True,
    ) -> None:
        self.times = Times()
        self.number: int | None = None
        """In the native thread; None before and after the stay."""
        self.entrance: Entrance
        self.path: Path | None = None
        self.sending = work.sending if isinstance(work, Attending) else work if isinstance(work, Sending) else None
        self.watching = work.watching if isinstance(work, Attending) else work if isinstance(work, Watching) else None
        self.heard: list[tuple[int, int, int]] = []
        """Streams that the server announced for our slots: SSRC, role, SSRC that it repairs or 0."""
        self.camera: str | None = None
        """The track that we publish, if our protocol was spoken."""
        self.is_cut = False
        """Whether its network is gone."""
        self._plane, self._context, self._gro = plane, context, gro
        self._keys: tuple[SrtpSession, SrtpSession] | None = None
        self._ssrcs: dict[str | None, int] = {}
        """Of video that we send, by rid."""
        self._rtx_ssrc = 0
        """Of a single stream."""
        self._active: dict[str | None, bool] = {}
        """Which encodings the server wants."""

    @property
    def ended(self) -> str | None:
        """Why the server ended the stay, if it did."""
        return self.entrance.ended or (self.path.closed if self.path is not None else None)

    async def join(self, entrance: Entrance) -> None:
        """Enter, connect, and send or receive from then on; a JoinError says why not. `leave` must follow always."""
        self.entrance = entrance
        self.times.asked = time.time()
        sections = self._sections()
        ice = make_credentials()
        offer = write_offer(ice, self._context.certificate.fingerprint, sections)
        slots = [{"mid": one.mid, "kind": "video" if one.is_video else "audio"} for one in sections if not one.sends]
        answer = read_answer(await entrance.enter(offer, slots))
        self.path = Path(ice, answer, self._context, gro=self._gro)
        keys = await self.path.connect()
        self.times.connected = time.time()
        self._hand_over(keys, answer)
        if self.sending is not None:
            camera: Message = {"type": "publish", "mid": VIDEO_MID, "source": "camera", "width": 1280, "height": 720}
            microphone: Message = {"type": "publish", "mid": SOUND_MID, "source": "microphone"}
            for answered in await entrance.ask_for([microphone, camera]):
                self.camera = answered["track"]["id"]
            self._play(answer, self.sending)
            self._follow_layers()
        if self.watching is not None and self.watching.height is not None:
            await self.see(self.watching.height)

    async def leave(self) -> None:
        """Go away in good order, whatever has become of the stay."""
        self._forget()
        if self.path is not None:
            self.path.close()
        await self.entrance.leave()

    def cut(self, *, gone: bool) -> None:
        """Take the network away, or give it back."""
        self.is_cut = gone
        if self.number is not None:
            self._plane.set_cut(self.number, gone)

    def check(self) -> None:
        """Tell the server that we are there, as browsers do every few seconds."""
        if self.path is not None and self.number is not None and not self.is_cut:
            self.path.check()

    async def see(self, height: int) -> None:
        """Have pictures of another height; RefusedError if the server does not want that."""
        assert self.watching is not None
        wanted: list[Message] = [{"mid": f"v{index}", "height": height} for index in range(self.watching.videos)]
        await self.entrance.ask_for([{"type": "view", "slots": wanted}])

    async def look_at(self, tracks: Sequence[str], height: int) -> None:
        """Have these tracks in our slots; RefusedError if the server does not want that."""
        wanted: list[Message] = [{"mid": f"v{at}", "track": one, "height": height} for at, one in enumerate(tracks)]
        await self.entrance.ask_for([{"type": "view", "slots": wanted}])

    def sent_bytes(self) -> dict[str | None, int]:
        """Return the payload of each encoding of our camera that was sent so far, by rid."""
        assert self.number is not None
        feeds = self._plane.feeds(self.number)
        return {rid: feeds[ssrc][1] for rid, ssrc in self._ssrcs.items() if ssrc in feeds}

    async def vanish(self) -> None:
        """Go away without a word: the server has to notice."""
        if self.number is not None:
            self.cut(gone=True)
            self._forget()
        if self.path is not None:
            self.path.close(goodbye=False)
        await self.entrance.break_off()

    def hear(self, message: Message) -> None:
        """Follow what the server says about our encodings."""
        if message["type"] == "layers":
            self._active |= {encoding["rid"]: encoding["active"] for encoding in message["encodings"]}
            self._follow_layers()

    def _forget(self) -> None:
        """Take the socket and the keys back from the native thread."""
        if self.number is not None:
            self._plane.remove(self.number)
            self.number = None
        if self._keys is not None:
            for session in self._keys:
                session.close()
            self._keys = None

    def _follow_layers(self) -> None:
        for rid, ssrc in self._ssrcs.items():
            if rid is not None and rid in self._active and self.number is not None:
                self._plane.set_paused(self.number, ssrc, not self._active[rid])

    def _sections(self) -> list[Section]:
        sections: list[Section] = []
        if self.sending is not None:
            rids = tuple(SIMULCAST) if self.sending.layers is Layers.SIMULCAST else ()
            ssrcs = (new_ssrc(), new_ssrc()) if not rids else (0, 0)
            self._ssrcs = {rid: new_ssrc() for rid in rids} or {None: ssrcs[0]}
            self._rtx_ssrc = ssrcs[1]
            codecs: tuple[Codec, ...] = (self.sending.codec,)
            sections += [
                Section(SOUND_MID, is_video=False, sends=True, ssrcs=(new_ssrc(), 0)),
                Section(VIDEO_MID, is_video=True, sends=True, codecs=codecs, rids=rids, ssrcs=ssrcs),
            ]
        if self.watching is not None:
            codecs = (Codec.VP8, Codec.H264)
            sections += [Section(f"a{at}", is_video=False, sends=False) for at in range(self.watching.sounds)]
            sections += [
                Section(f"v{at}", is_video=True, sends=False, codecs=codecs) for at in range(self.watching.videos)
            ]
        return sections

    def _hand_over(self, keys: SrtpKeys, answer: Answer) -> None:
        """Give socket and keys to the native thread."""
        assert self.path is not None
        profile = PROFILES[keys.profile]
        opener = SrtpSession(profile, keys.inbound, "inbound")
        sealer = SrtpSession(profile, keys.outbound, "outbound")
        self._keys = opener, sealer
        roles = bytearray(128)
        watches = self.watching is not None
        for section in answer.sections:
            for payload_type, name in section.types.items():
                roles[payload_type & 0x7F] = ROLES.get(name, 0)
            if watches and section.taken:
                self.heard += announced_streams(section)
        self.number = self._plane.add(
            self.path.socket.fileno(),
            opener,
            sealer,
            bytes(roles),
            ssrc=new_ssrc(),
            transport_id=EXTENSIONS[TRANSPORT_SEQUENCE] if watches and _has(answer, TRANSPORT_SEQUENCE) else 0,
            counts=watches,
            loss=self.watching.loss if self.watching is not None else 0.0,
            announced=self.heard,
        )

    def _play(self, answer: Answer, sending: Sending) -> None:
        """Begin to send on the sections that the server took."""
        sections = {section.mid: section for section in answer.sections}
        video, sound = sections.get(VIDEO_MID), sections.get(SOUND_MID)
        if video is None or not video.taken:
            raise MalformedAnswerError("the server's answer takes no video of ours")
        if sound is not None and sound.taken:
            self._play_sound(sound, sending.number)
        media_type, rtx_type = VIDEO_TYPES[sending.codec]
        if media_type not in video.types:
            raise MalformedAnswerError(f"the server's answer does not take {sending.codec.value}")
        rids: list[str | None] = [rid for rid in self._ssrcs if rid in video.rids]
        if not rids:  # no simulcast with this server: the highest encoding alone
            rids = [None]
            self._ssrcs = {None: self._ssrcs[None] if None in self._ssrcs else self._ssrcs[sending.single_rid]}
        assert self.number is not None
        for rid in rids:
            shape = rid or sending.single_rid
            is_top = rid in {None, "f"}
            block, at = extension_block(video, VIDEO_MID, rid, repaired=False)
            rtx_block, rtx_at = extension_block(video, VIDEO_MID, rid, repaired=True)
            self._plane.add_feed(
                self.number,
                video_frames(sending.codec, shape, sending.video_bps if is_top else None),
                ssrc=self._ssrcs[rid],
                payload_type=media_type,
                block=block,
                transport_at=at,
                rtx_ssrc=(self._rtx_ssrc if rid is None else new_ssrc()) if rtx_type in video.types else 0,
                rtx_payload_type=rtx_type,
                rtx_block=rtx_block,
                rtx_transport_at=rtx_at,
                publisher=sending.number,
                turn=sending.number,
                delay_ns=sending.number * 7_000_000 % 33_000_000,
            )

    def _play_sound(self, section: AnsweredSection, number: int) -> None:
        assert self.number is not None
        block, at = extension_block(section, SOUND_MID, None, repaired=False)
        self._plane.add_feed(
            self.number,
            sound_frames(),
            ssrc=new_ssrc(),
            payload_type=OPUS,
            block=block,
            transport_at=at,
            publisher=number,
            delay_ns=number * 7_000_000 % 20_000_000,
        )


def new_ssrc() -> int:
    return secrets.randbelow((1 << 32) - 1) + 1


def announced_streams(section: AnsweredSection) -> list[tuple[int, int, int]]:
    """Return (SSRC, role, SSRC that it repairs) of the streams that a section announces, for the native thread."""
    codecs = [ROLES[name] for name in section.types.values() if name in ROLES and name != "rtx"]
    if not codecs:
        return []
    streams = [(media, codecs[0], 0) for media, _ in section.ssrcs]
    return streams + [(repair, ROLE_RTX, media) for media, repair in section.ssrcs if repair]


def extension_block(section: AnsweredSection, mid: str, rid: str | None, *, repaired: bool) -> tuple[bytes, int]:
    """Return a stream's header extensions, as far as the server took them, and where the transport number stands."""
    values: dict[str, bytes] = {MID: mid.encode()}
    if rid is not None:
        values[REPAIRED_RID if repaired else RID] = rid.encode()
    if mid == SOUND_MID:
        values[AUDIO_LEVEL] = VOICE
    mark = b"\xa5\x5a"
    values[TRANSPORT_SEQUENCE] = mark
    items = [(section.extensions[uri], value) for uri, value in values.items() if uri in section.extensions]
    block = write_extensions(items)
    return block, block.find(mark) if TRANSPORT_SEQUENCE in section.extensions else -1


def _has(answer: Answer, uri: str) -> bool:
    return any(uri in section.extensions for section in answer.sections)
