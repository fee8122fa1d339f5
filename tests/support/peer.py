"""A whole participant without a browser: joins by the JSON protocol, sends and receives real SRTP, notices faults."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace

import aiohttp

from media.rtp.parameters import Address
from tests.support.peer_link import peer_context
from tests.support.peer_media import PeerMedia
from tests.support.peer_offer import (
    CAMERA,
    ENCODINGS,
    LIKE_CHROMIUM,
    MICROPHONE,
    SCREEN,
    Numbers,
    SlotCounts,
    make_credentials,
    read_answer,
    write_offer,
)
from tests.support.peer_signal import Message, PeerSignal
from tests.support.peer_slots import ReceivingSlot
from tests.support.peer_sources import VOICE_LEVEL, Camera, Microphone, Rates, Source

MESSAGES_KEPT = 200  # the last ones: a peer that stays for hundreds of guests is not to look like a leak
SECTIONS = {"camera": CAMERA, "microphone": MICROPHONE, "screen": SCREEN}


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """What a peer offers and how much it sends."""

    slots: SlotCounts = field(default_factory=SlotCounts)
    numbers: Numbers = LIKE_CHROMIUM
    rates: Rates = field(default_factory=Rates)
    seed: int = 1
    via: Address | None = None
    """Send to a relay instead of the server's candidate."""


class Peer:
    """One participant. `join`, then `publish`; end with `leave`, `close`, or `vanish` and later `abort`."""

    def __init__(self, room: str, identity: str, options: PeerOptions) -> None:
        self.room, self.identity = room, identity
        self.options = options
        self.id = ""
        self.slots: dict[str, ReceivingSlot] = {}
        self.identities: dict[str, str] = {}
        """Participant id -> identity, of everybody who was ever there."""
        self.present: set[str] = set()
        """Participant ids of those who are in the room, oneself too."""
        self.tracks: dict[str, Message] = {}
        """Own tracks by source."""
        self.speakers: deque[list[str]] = deque(maxlen=MESSAGES_KEPT)
        """Identities of those who were said to speak, in the last messages."""
        self.errors: list[Message] = []
        self.told: deque[Message] = deque(maxlen=MESSAGES_KEPT)
        """The last of what the room said, in order."""
        self.seq = 0
        """Of the last room event."""
        self.resume_token = ""
        self._chance = random.Random(f"{options.seed}/{room}/{identity}")
        self._ice = make_credentials()
        self._media: PeerMedia | None = None
        self._signal: PeerSignal | None = None

    # -- what a person does ---------------------------------------------------------------------------------------

    async def join(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Enter the room and connect the media path."""
        await self.knock(http, url, token)
        await self.media.connect()

    async def knock(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        """Enter the room; the media socket is bound and silent."""
        self._signal = await PeerSignal.open(http, url, self.room, token, self._hear)
        joined = await self._signal.ask(self.join_request())
        answer = read_answer(joined["answer"])
        self._media = PeerMedia(
            ice=self._ice,
            answer=answer if self.options.via is None else replace(answer, address=self.options.via),
            numbers=self.options.numbers,
            slots=self.slots,
            chance=self._chance,
        )
        await self._media.link.bind()

    def join_request(self) -> Message:
        """Return the first message, with an offer."""
        fingerprint = peer_context().certificate.fingerprint
        offer = write_offer(self._ice, fingerprint, self.options.slots, self.options.numbers)
        slots = [{"mid": mid, "kind": kind} for mid, kind in self.options.slots.kinds.items()]
        return {"type": "join", "offer": offer, "slots": slots}

    async def publish(self, *sources: str) -> None:
        """Begin to send "camera", "microphone" or "screen"."""
        for source in sources:
            mid = SECTIONS[source]
            self.media.sources[source] = self._make_source(source, mid)
            size = {} if source == "microphone" else {"width": 1280, "height": 720}
            answer = await self.signal.ask({"type": "publish", "mid": mid, "source": source, **size})
            self.tracks[source] = answer["track"]

    async def unpublish(self, source: str) -> None:
        del self.media.sources[source]
        await self.signal.ask({"type": "unpublish", "track": self.tracks.pop(source)["id"]})

    def speak(self, level: int = VOICE_LEVEL) -> None:
        """Be as loud as this from now on, in -dBov."""
        microphone = self.media.sources["microphone"]
        assert isinstance(microphone, Microphone)
        microphone.speak(level)

    async def view(self, **wanted: object) -> None:
        """Ask for one slot: mid, and track, height or frame_rate."""
        await self.signal.ask({"type": "view", "slots": [wanted]})

    async def leave(self) -> None:
        """Say goodbye in the room, then on the media path."""
        await self.signal.leave()
        await self.media.end()

    async def close(self) -> None:
        """Close the WebSocket with 1000 and the media path, as a page does that goes away."""
        await self.media.end()
        await self.signal.close()

    async def resume(self, http: aiohttp.ClientSession, url: str, token: str, *, restart_ice: bool = False) -> Message:
        """Come back over a new WebSocket, with new ICE credentials if need be; return `resumed`."""
        self._signal = await PeerSignal.open(http, url, self.room, token, self._hear)
        request: Message = {"type": "resume", "token": self.resume_token, "seq": self.seq}
        if restart_ice:
            self._ice = make_credentials()
            request["offer"] = self.join_request()["offer"]
        resumed = await self._signal.ask(request)
        if restart_ice:
            self.media.link.restart_ice(self._ice, read_answer(resumed["answer"]).ice)
        return resumed

    async def restart_ice(self) -> None:
        """Give the media path new ICE credentials, as a browser does that was asked to."""
        self._ice = make_credentials()
        answer = await self.signal.ask({"type": "offer", "sdp": self.join_request()["offer"]})
        self.media.link.restart_ice(self._ice, read_answer(answer["sdp"]).ice)

    async def vanish(self) -> None:
        """Fall silent without a word, the WebSocket open; `abort` must follow some time."""
        await self.media.end(goodbye=False)
        await self.signal.vanish()

    async def abort(self) -> None:
        """Cut everything there is, without a word."""
        if self._media is not None:
            await self._media.end(goodbye=False)
        if self._signal is not None:
            await self._signal.abort()

    # -- what a test asks -----------------------------------------------------------------------------------------

    @property
    def media(self) -> PeerMedia:
        assert self._media is not None, "not joined"
        return self._media

    @property
    def signal(self) -> PeerSignal:
        assert self._signal is not None, "not joined"
        return self._signal

    @property
    def author(self) -> str:
        """What stands in the packets of this peer."""
        return f"{self.room}/{self.identity}"

    def packets_from(self, author: str, *, video: bool) -> int:
        return sum(slot.packets[author] for slot in self.slots.values() if slot.is_video is video)

    def key_frames_from(self, author: str) -> int:
        return sum(slot.key_frames[author] for slot in self.slots.values())

    def heard(self) -> set[str]:
        """Return the authors of whatever came."""
        return {author for slot in self.slots.values() for author in slot.packets}

    def lost(self) -> int:
        """Return how many packets of all slots are missing now."""
        return sum(slot.reception.lost for slot in self.slots.values())

    def asked(self) -> int:
        """Return how many packets had to be asked for again."""
        return sum(slot.reception.asked for slot in self.slots.values())

    def faults(self) -> list[str]:
        """Return everything that was wrong, in words; nothing may be under way when this is asked."""
        found = [*self.media.unexpected, *(f"error {error}" for error in self.errors)]
        for slot in self.slots.values():
            found += [f"slot {slot.mid}: {fault}" for fault in slot.faults]
            found += [f"slot {slot.mid}: {who} came unannounced" for who in slot.misrouted()]
            if slot.packets[self.author]:
                found.append(f"slot {slot.mid}: receives itself")
            if slot.reception.duplicates:
                found.append(f"slot {slot.mid}: {slot.reception.duplicates} duplicates")
        if self.media.link.rejected:
            found.append(f"{self.media.link.rejected} packets did not open")
        return [f"{self.author}: {fault}" for fault in found]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        self.told.append(message)
        self.seq = message.get("seq", self.seq)
        self.resume_token = message.get("resume", self.resume_token)
        match message["type"]:
            case "joined":
                self._enter(message)
            case "participant":
                self._meet(message["participant"])
            case "left":
                self.present.discard(message["participant"])
            case "slots":
                for entry in message["slots"]:
                    participant = entry["participant"]
                    author = None if participant is None else f"{self.room}/{self.identities[participant]}"
                    self.slots[entry["mid"]].assign(entry["track"], participant, entry["encoding"], author)
            case "speakers":
                self.speakers.append([self.identities[each["participant"]] for each in message["speakers"]])
            case "error":
                self.errors.append(message)
            case _:
                pass

    def _enter(self, joined: Message) -> None:
        self.id = joined["participant"]
        for participant in joined["room"]["participants"]:
            self._meet(participant)
        kinds = self.options.slots.kinds
        for mid, (ssrc, rtx_ssrc) in read_answer(joined["answer"]).slots.items():
            self.slots[mid] = ReceivingSlot(mid, kinds[mid], ssrc, rtx_ssrc)

    def _meet(self, participant: Message) -> None:
        self.identities[participant["id"]] = participant["identity"]
        self.present.add(participant["id"])

    def _make_source(self, source: str, mid: str) -> Source:
        numbers, rates = self.options.numbers, self.options.rates
        if source == "microphone":
            return Microphone(self.room, self.identity, numbers=numbers, rates=rates, chance=self._chance)
        rids = ENCODINGS if source == "camera" else ("",)
        return Camera(self.room, self.identity, numbers=numbers, rates=rates, chance=self._chance, mid=mid, rids=rids)
