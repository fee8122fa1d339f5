"""What viewers are sent of what their paths carry, and what publishers are asked for: rooms with known estimates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from signaling.allocation import PROBE_AHEAD_BPS, TURN_S
from signaling.allocation_budget import HOLD_S, PATIENCE_S
from signaling.allocation_demand import PAUSE_AFTER_S
from signaling.client_messages import Limit, Mute, Publish, Unpublish, View, ViewRequest
from signaling.codes import ErrorCode
from signaling.identifiers import Role, Source
from signaling.layers import Rendition
from signaling.levels import Level
from signaling.server_messages import Layers, Quality, SlotsChanged
from signaling.track import Track
from signaling.watch import LOOK_S
from tests.unit.signaling.fake_engine import FakeConsumer
from tests.unit.signaling.offers import TRANSPORT_WIDE, sdk_offer
from tests.unit.signaling.stage import Person, Stage

CAMERA_BPS = (150_000, 500_000, 1_500_000)
SCREEN_BPS = (400_000,)
VIDEO_SLOTS = ("20", "21", "22")


@dataclass
class Estimate:
    bitrate_bps: int
    loss: float = 0.0
    round_trip_s: float = 0.05


def tells(person: Person, bitrate_bps: int) -> None:
    """Let the engine estimate what the path to somebody carries."""
    router = person.stage.router
    assert router.on_estimates is not None
    person.transport.estimate = Estimate(bitrate_bps)
    router.on_estimates([(person.transport, person.transport.estimate)], person.stage.now)
    person.stage.drain()


def passes(stage: Stage, seconds: float, *, estimates: dict[Person, int] | None = None) -> None:
    """Let time go by while publishers send what they are asked for, and paths carry so much."""
    for _ in range(round(seconds)):
        stage.now += 1.0
        for person in stage.people.values():
            for source, rates in ((Source.CAMERA, CAMERA_BPS), (Source.SCREEN, SCREEN_BPS)):
                send(person, source, rates)
        for person, bitrate_bps in (estimates or {}).items():
            tells(person, bitrate_bps)
        stage.room.handle_timeout(now=stage.now)
        stage.drain()


def send(person: Person, source: Source, rates: tuple[int, ...]) -> None:
    asked = active(person, source)
    for encoding, rate_bps, is_asked in zip(person.producer(source).encodings, rates, asked, strict=False):
        encoding.bytes += rate_bps // 8 * is_asked


def active(person: Person, source: Source = Source.CAMERA) -> list[bool]:
    """Return which encodings the publisher was last asked for."""
    tracks = {each.id for each in person_tracks(person) if each.source is source}
    told = [each for each in person.all(Layers) if each.track in tracks]
    return [each.active for each in told[-1].encodings] if told else []


def person_tracks(person: Person) -> list[Track]:
    member = next(each for each in person.stage.room.survey().participants if each.id == person.id)
    return list(member.tracks.values())


def layers(viewer: Person, *mids: str) -> list[tuple[int, int] | None]:
    """Return what the engine was asked to send in slots, None of those in which nothing is sent."""
    return [sent(viewer.consumer(mid)) for mid in mids or VIDEO_SLOTS]


def sent(consumer: FakeConsumer) -> tuple[int, int] | None:
    return consumer.layers if consumer.producer is not None else None


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def cameras(stage: Stage) -> list[Person]:
    """Three whose cameras are VP8 at 720 lines."""
    people = [stage.joins(name) for name in ("amal", "badr", "dana")]
    for person in people:
        person.publishes(Source.CAMERA, height=720)
        person.producer(Source.CAMERA).change(codec="VP8", heights=(180, 360, 720))
        stage.drain()
    return people


@pytest.fixture
def viewer(stage: Stage, cameras: list[Person]) -> Person:
    viewer = stage.joins("viewer")
    stage.drain()
    passes(stage, 4)
    return viewer


def wants(viewer: Person, height: int, *mids: str) -> None:
    viewer.says(View(id=5, slots=[ViewRequest(mid=mid, height=height) for mid in mids or VIDEO_SLOTS]))


def test_of_whom_nothing_is_known_gets_what_is_wanted(stage: Stage, viewer: Person) -> None:
    wants(viewer, 720)
    passes(stage, 3)
    assert layers(viewer) == [(2, 3)] * 3
    assert not any(each.paused for message in viewer.all(SlotsChanged) for each in message.slots)


@pytest.mark.parametrize(
    ("estimate_bps", "expected"),
    [
        (10_000_000, [(2, 3), (2, 3), (2, 3)]),
        (3_500_000, [(2, 1), (2, 1), (2, 1)]),
        (1_750_000, [(1, 3), (1, 3), (1, 3)]),
        (530_000, [(0, 3), (0, 3), (0, 3)]),
        (260_000, [(0, 1), (0, 0), (0, 0)]),
        (180_000, [(0, 1), (0, 0), None]),
        (90_000, [(0, 0), None, None]),
        (30_000, [None, None, None]),
    ],
)
def test_each_gets_the_least_before_any_gets_more(
    stage: Stage, viewer: Person, estimate_bps: int, expected: list[tuple[int, int] | None]
) -> None:
    wants(viewer, 720)
    passes(stage, 3)  # all encodings flow
    passes(stage, 12, estimates={viewer: estimate_bps})
    assert layers(viewer) == expected


def test_a_path_that_narrows_is_obeyed_at_once_and_that_it_widens_is_believed_later(
    stage: Stage, viewer: Person
) -> None:
    wants(viewer, 720)
    passes(stage, 12, estimates={viewer: 8_000_000})
    assert layers(viewer) == [(2, 3)] * 3
    tells(viewer, 300_000)
    fallen = layers(viewer)
    assert fallen == [(0, 1), (0, 1), (0, 0)]
    tells(viewer, 8_000_000)
    assert layers(viewer) == fallen, "nothing climbs so soon after a fall"
    passes(stage, HOLD_S + 1, estimates={viewer: 8_000_000})
    assert layers(viewer) == [(2, 3)] * 3


def test_many_falls_on_a_narrow_path_do_not_delay_a_wide_one(stage: Stage, viewer: Person) -> None:
    wants(viewer, 720)
    passes(stage, 12, estimates={viewer: 8_000_000})
    for second in range(40):
        passes(stage, 1, estimates={viewer: 180_000 + second % 3 * 60_000})
    passes(stage, HOLD_S + 2, estimates={viewer: 8_000_000})
    assert layers(viewer) == [(2, 3)] * 3


@pytest.mark.parametrize(
    ("swing", "most", "most_later"),
    [
        ((1_450_000, 1_700_000), 16, 5),
        ((180_000, 270_000), 16, 5),
        ((60_000, 110_000), 16, 5),
        ((300_000, 3_000_000), 80, 40),  # no edge, but two networks: it falls at once, and climbs 3 s later
    ],
)
def test_a_path_that_swings_moves_things_ever_less_often(
    stage: Stage, viewer: Person, swing: tuple[int, int], most: int, most_later: int
) -> None:
    wants(viewer, 720)
    moved = []
    for second in range(120):
        before = layers(viewer)
        passes(stage, 1, estimates={viewer: swing[second % 2]})
        if layers(viewer) != before:
            moved.append(second)
    assert len(moved) <= most
    assert sum(second >= 60 for second in moved) <= most_later


def test_a_small_dip_that_passes_is_not_obeyed(stage: Stage, viewer: Person) -> None:
    wants(viewer, 720)
    passes(stage, 12, estimates={viewer: 1_550_000})
    before = layers(viewer)
    passes(stage, 1, estimates={viewer: 1_300_000})
    passes(stage, 3, estimates={viewer: 1_550_000})
    assert layers(viewer) == before
    passes(stage, PATIENCE_S + 1, estimates={viewer: 1_300_000})
    assert layers(viewer) != before


def test_not_all_climb_at_once_and_who_waits_for_a_turn_is_not_told(stage: Stage, cameras: list[Person]) -> None:
    passes(stage, 6)
    slots = (("10", "audio"), *((mid, "video") for mid in VIDEO_SLOTS))
    viewer = stage.joins("viewer", slots=slots, offer=sdk_offer(slots=slots, extensions=TRANSPORT_WIDE))
    assert layers(viewer) == [(0, 1), (0, 0), None], "300 kbit/s are assumed, and not all of them may begin at once"
    assert not any(viewer.paused.values())
    stage.now += TURN_S
    stage.room.handle_timeout(now=stage.now)
    stage.drain()
    assert None not in layers(viewer)


def test_a_slot_for_which_nothing_is_left_keeps_its_track_and_says_so(
    stage: Stage, viewer: Person, cameras: list[Person]
) -> None:
    passes(stage, 2, estimates={viewer: 30_000})
    told = viewer.last(SlotsChanged).slots
    assert [(each.mid, each.encoding, each.paused) for each in told] == [(mid, None, True) for mid in VIDEO_SLOTS]
    assert [viewer.slots[mid] for mid in VIDEO_SLOTS] == [each.track for each in told]
    assert None not in viewer.slots.values() or viewer.slots["20"] is not None
    passes(stage, HOLD_S + 2, estimates={viewer: 3_000_000})
    assert None not in layers(viewer)
    assert not any(each.paused for each in viewer.last(SlotsChanged).slots)
    cameras[0].says(Unpublish(track=viewer.slots["20"] or ""))
    assert viewer.slots["20"] is None


def test_the_screen_comes_first_then_who_is_in_the_spotlight_then_who_speaks(stage: Stage, viewer: Person) -> None:
    teacher = stage.joins("teacher", role=Role.TEACHER)
    teacher.publishes(Source.SCREEN)
    teacher.producer(Source.SCREEN).change(codec="VP8", heights=(1080,))
    passes(stage, 8, estimates={viewer: 420_000})
    assert layers(viewer, "30", *VIDEO_SLOTS) == [(0, 3), None, None, None]
    passes(stage, 8, estimates={viewer: 640_000})
    assert layers(viewer, "30", *VIDEO_SLOTS) == [(0, 3), (0, 0), (0, 0), None]


def test_sound_is_taken_off_first(stage: Stage, viewer: Person, cameras: list[Person]) -> None:
    wants(viewer, 720)
    passes(stage, 6, estimates={viewer: 260_000})
    assert layers(viewer) == [(0, 1), (0, 0), (0, 0)]
    cameras[0].publishes(Source.MICROPHONE)
    stage.drain()
    assert layers(viewer) == [(0, 1), (0, 0), None]
    assert viewer.consumer("10").producer is not None


def test_a_muted_picture_costs_nothing_and_comes_back_within_the_estimate(
    stage: Stage, viewer: Person, cameras: list[Person]
) -> None:
    passes(stage, 8, estimates={viewer: 180_000})
    assert layers(viewer)[2] is None
    track = viewer.slots["20"] or ""
    cameras[0].says(Mute(track=track, muted=True))
    passes(stage, HOLD_S + 1, estimates={viewer: 180_000})
    assert layers(viewer)[2] == (0, 0)
    cameras[0].says(Mute(track=track, muted=False))
    assert sum(each is not None for each in layers(viewer)) == 2


def test_a_new_track_is_sent_its_least_first(stage: Stage, viewer: Person) -> None:
    passes(stage, 8, estimates={viewer: 8_000_000})
    tells(viewer, 400_000)
    late = stage.joins("late")
    late.publishes(Source.SCREEN)
    assert layers(viewer, "30") == [(0, 3)]


def test_the_engine_is_asked_to_look_for_what_could_be_used(stage: Stage, viewer: Person) -> None:
    wants(viewer, 720)
    passes(stage, 3)
    assert viewer.transport.wanted_bps == pytest.approx(3 * 1_500_000 * 1.15, rel=0.06)
    wants(viewer, 90)
    assert viewer.transport.wanted_bps == PROBE_AHEAD_BPS, "so that nobody waits who enlarges a picture"
    viewer.says(Limit(id=6, level="poor"))
    assert viewer.transport.wanted_bps == pytest.approx(3 * 105_000 * 1.15, rel=0.06)
    viewer.says(View(id=6, slots=[ViewRequest(mid=mid, track=None) for mid in VIDEO_SLOTS]))
    assert viewer.transport.wanted_bps == 0


def test_a_publisher_begins_with_what_is_wanted_while_the_path_is_still_probed(
    stage: Stage, viewer: Person, cameras: list[Person]
) -> None:
    for person in (viewer, *cameras):
        wants(person, 90)
    passes(stage, PAUSE_AFTER_S + 2, estimates={viewer: 1_000_000})
    assert active(cameras[0]) == [True, False, False]
    wants(viewer, 720, "20")
    assert layers(viewer, "20") == [(1, 3)]
    assert active(cameras[0]) == [True, True, True], "a probe may find twice as much"
    passes(stage, PAUSE_AFTER_S + 2, estimates={viewer: 1_000_000})
    assert active(cameras[0]) == [True, True, False], "it did not"
    wants(viewer, 720, "20")
    assert active(cameras[0]) == [True, True, False], "nothing else is wanted than before"
    wants(viewer, 90, "20")
    passes(stage, PAUSE_AFTER_S + 2, estimates={viewer: 500_000})
    wants(viewer, 720, "20")
    assert active(cameras[0]) == [True, False, False], "no probe finds thrice as much"


def test_the_connection_is_told_as_what_the_estimate_is_worth(stage: Stage, viewer: Person) -> None:
    wants(viewer, 720)
    for estimate_bps, level in [(600_000, Level.POOR), (200_000, Level.MINIMAL), (90_000, Level.AUDIO)]:
        for _ in range(8):
            passes(stage, LOOK_S, estimates={viewer: estimate_bps})
            viewer.transport.traffic.sent += 100
            viewer.transport.traffic.received += 100
        assert level_told(viewer) is level
    for _ in range(12):
        passes(stage, LOOK_S, estimates={viewer: 9_000_000})
        viewer.transport.traffic.received += 100
    assert level_told(viewer) is Level.EXCELLENT


def level_told(person: Person) -> Level | None:
    told = [
        each.level for message in person.all(Quality) for each in message.participants if each.participant == person.id
    ]
    return told[-1] if told else None


def test_who_wants_little_is_not_told_of_a_bad_connection(stage: Stage, viewer: Person) -> None:
    wants(viewer, 180)
    for _ in range(6):
        passes(stage, LOOK_S, estimates={viewer: 620_000})
        viewer.transport.traffic.received += 100
        viewer.transport.traffic.sent += 100
    assert level_told(viewer) is Level.EXCELLENT


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("good", [(1, 3), (1, 1), (0, 3)]),
        ("poor", [(0, 1), (0, 1), (0, 1)]),
        ("minimal", [(0, 1), None, None]),
        ("audio", [None, None, None]),
    ],
)
def test_who_asks_for_less_is_sent_less(
    stage: Stage, viewer: Person, level: str, expected: list[tuple[int, int] | None]
) -> None:
    wants(viewer, 720)
    passes(stage, 4)
    viewer.says(Limit(id=9, level=level))  # type: ignore[arg-type]
    answer = viewer.last(SlotsChanged)
    assert answer.re == 9
    assert [each.mid for each in answer.slots if each.paused] == [
        mid for mid, layer in zip(VIDEO_SLOTS, expected, strict=True) if layer is None
    ]
    passes(stage, HOLD_S + 2)
    assert layers(viewer) == expected
    viewer.says(Limit(id=10, level=None))
    assert layers(viewer) == [(2, 3)] * 3


def test_a_limit_is_for_those_who_may_see(stage: Stage) -> None:
    deaf = stage.joins("deaf", subscribe=False)
    deaf.is_refused(Limit(id=3, level="audio"), ErrorCode.NOT_ALLOWED)


def test_what_nobody_needs_rests_and_comes_back_at_once(stage: Stage, viewer: Person, cameras: list[Person]) -> None:
    amal = cameras[0]
    passes(stage, PAUSE_AFTER_S + 2)
    assert active(amal) == [True, True, False], "360 lines are wanted of 720, and the lowest stays"
    wants(viewer, 720, "20")
    assert active(amal) == [True, True, True], "at once"
    passes(stage, PAUSE_AFTER_S - 1)
    assert active(amal) == [True, True, True]
    wants(viewer, 90, *VIDEO_SLOTS)
    others = [each for each in cameras if each is not amal]
    for other in others:
        wants(other, 90, *VIDEO_SLOTS)
    passes(stage, PAUSE_AFTER_S + 2)
    assert active(amal) == [True, False, False]


def test_what_is_below_an_encoding_that_does_not_come_is_needed(stage: Stage, cameras: list[Person]) -> None:
    amal, viewer = cameras[0], stage.joins("viewer")
    wants(viewer, 720, "20")
    viewer.consumer("20").encoding = 0  # browsers send no third encoding of a small picture
    for other in cameras[1:]:
        wants(other, 90, *VIDEO_SLOTS)
    passes(stage, PAUSE_AFTER_S + 2)
    assert active(amal) == [True, True, True]
    viewer.consumer("20").encoding = 2
    passes(stage, PAUSE_AFTER_S + 2)
    assert active(amal) == [True, False, True]


def test_a_picture_that_nobody_is_shown_is_not_sent_at_all(stage: Stage) -> None:
    amal = stage.joins("amal")
    amal.publishes(Source.CAMERA, height=720)
    amal.publishes(Source.SCREEN)
    passes(stage, PAUSE_AFTER_S + 2)
    assert active(amal) == [False, False, False]
    assert active(amal, Source.SCREEN) == [False]
    stage.joins("badr")
    assert active(amal) == [True, True, False]
    assert active(amal, Source.SCREEN) == [True]


def test_sound_is_never_asked_to_rest(stage: Stage) -> None:
    amal = stage.joins("amal")
    amal.publishes(Source.MICROPHONE)
    passes(stage, PAUSE_AFTER_S * 3)
    assert [each.active for each in amal.last(Layers).encodings] == [True]


def test_who_keeps_an_encoding_counts_as_a_viewer(stage: Stage) -> None:
    amal = stage.joins("amal")
    camera = amal.publishes(Source.CAMERA, height=720)
    stage.room.keep_encoding(amal.last(Layers).track, 2)
    passes(stage, PAUSE_AFTER_S * 2)
    assert active(amal) == [True, False, True]
    stage.room.keep_encoding(amal.last(Layers).track, None)
    passes(stage, PAUSE_AFTER_S * 2)
    assert active(amal) == [False, False, False]
    assert camera


def test_a_viewer_is_not_sent_what_a_withheld_encoding_would_cost(
    stage: Stage, viewer: Person, cameras: list[Person]
) -> None:
    """A publisher whose own path carries 180 lines only: 360 are wanted, 180 come, and the rest is for the others."""
    wants(viewer, 360)
    for _ in range(8):
        for other in cameras[1:]:
            send(other, Source.CAMERA, CAMERA_BPS)
        send(cameras[0], Source.CAMERA, CAMERA_BPS[:1])
        stage.now += 1.0
        tells(viewer, round((150_000 + 2 * 500_000) * 1.2))
        stage.room.handle_timeout(now=stage.now)
        stage.drain()
    assert layers(viewer) == [(1, 3)] * 3
    assert active(cameras[0])[:2] == [True, True], "so that it comes as soon as it can"


def test_a_named_rendition_is_a_wish_too(stage: Stage, viewer: Person) -> None:
    stage.room.prefer(viewer.id, Rendition.HIGH)
    stage.drain()
    assert layers(viewer) == [(2, 3)] * 3
    passes(stage, 2, estimates={viewer: 600_000})
    assert layers(viewer) == [(0, 3)] * 3


def test_a_codec_that_changes_under_a_paused_slot_starts_nothing(
    stage: Stage, viewer: Person, cameras: list[Person]
) -> None:
    passes(stage, 3, estimates={viewer: 30_000})
    cameras[0].producer(Source.CAMERA).change(codec="H264")
    stage.drain()
    assert layers(viewer) == [None] * 3


def test_one_bad_viewer_among_many_changes_nothing_for_the_others(stage: Stage, cameras: list[Person]) -> None:
    viewers = [stage.joins(f"viewer {index}") for index in range(50)]
    for viewer in viewers:
        wants(viewer, 720, "20")
    passes(stage, 8, estimates=dict.fromkeys(viewers, 6_000_000))
    before, asked = [layers(viewer) for viewer in viewers], active(cameras[0])
    for bitrate_bps in (100_000, 50_000, 700_000, 40_000):
        passes(stage, 5, estimates={viewers[0]: bitrate_bps})
    assert [layers(viewer) for viewer in viewers][1:] == before[1:]
    assert layers(viewers[0]) != before[0]
    assert active(cameras[0]) == asked == [True, True, True]


def test_publishing_again_begins_anew(stage: Stage, viewer: Person, cameras: list[Person]) -> None:
    amal = cameras[0]
    passes(stage, PAUSE_AFTER_S + 2, estimates={viewer: 3_000_000})
    assert active(amal) == [True, True, False]
    amal.says(Unpublish(track=amal.last(Layers).track))
    amal.says(Publish(id=2, mid="1", source=Source.CAMERA, height=720))
    assert active(amal) == [True, True, True]


def test_a_path_that_seems_too_narrow_for_anything_is_tried_ever_less_often(stage: Stage, viewer: Person) -> None:
    """Where nothing flows nothing is learnt: the least picture is sent for a while, and goes on if it fits."""
    tried = []
    for second in range(70):
        passes(stage, 1, estimates={viewer: 40_000 if second == 0 else 40_000 + second})
        if any(layers(viewer)):
            tried.append(second)
    assert layers(viewer)[1:] == [None, None]
    starts = [second for second in tried if second - 1 not in tried]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps == sorted(gaps)
    assert 3 <= len(starts) <= 5
    while not any(layers(viewer)):
        passes(stage, 1)
    passes(stage, 6, estimates={viewer: 120_000})
    assert layers(viewer)[0] == (0, 0)


def test_whoever_joins_long_after_the_server_began_is_sent_the_least_first(stage: Stage, cameras: list[Person]) -> None:
    stage.now += 5000.0
    slots = (("10", "audio"), *((mid, "video") for mid in VIDEO_SLOTS))
    viewer = stage.joins("viewer", slots=slots, offer=sdk_offer(slots=slots, extensions=TRANSPORT_WIDE), expires_at=1e9)
    assert layers(viewer) == [(0, 1), (0, 0), None]
