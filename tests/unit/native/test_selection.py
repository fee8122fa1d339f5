"""What one viewer is sent of a layered stream: as the twin decides, and never what cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.selection import Selection
from tests.oracle import selection as oracle
from tests.oracle.dependency import Structure, Template, mask
from tests.oracle.selection import EVERYTHING, Frame
from tests.support.layers import FULL, KEY_ONLY, TEMPORAL, TWO, make_frames

STEP = 3000
TOP, MIDDLE, LOW = 2, 1, 0
ALL = 255


def as_frame(structure: Structure, number: int, picture: int, template: Template, active: int = EVERYTHING) -> Frame:
    marks = template.indications
    return Frame(
        number,
        picture * STEP,
        template.spatial,
        mask(marks, 1, 2, 3),
        mask(marks, 2, 3),
        mask(marks, 2),
        template.references,
        active,
    )


def offer(native: Selection, frame: Frame, *, late: bool = False) -> tuple[bool, bool] | None:
    return native.take(
        frame.number,
        frame.timestamp,
        spatial=frame.spatial,
        present=frame.present,
        required=frame.required,
        switches=frame.switches,
        references=frame.references,
        active=frame.active,
        own=frame.own,
        ends=frame.ends,
        marker=frame.marker,
        late=late,
    )


def play(
    structure: Structure, wishes: dict[int, tuple[int, int]], pictures: int, *, keys: Sequence[int] = (0,)
) -> Iterator[tuple[int, Template, bool, bool, Selection]]:
    """Yield picture, template, whether it is sent, whether that ends the picture; `wishes` by picture."""
    native = Selection()
    native.set_targets(structure.layers())
    for made in make_frames(structure, pictures, keys=keys):
        if made.picture in wishes:
            native.want(*wishes[made.picture])
        template = structure.templates[made.template]
        answer = offer(native, as_frame(structure, made.number, made.picture, template))
        assert answer is not None
        yield made.picture, template, *answer, native


def sent_layers(
    structure: Structure, wishes: dict[int, tuple[int, int]], pictures: int, *, keys: Sequence[int] = (0,)
) -> list[list[tuple[int, int]]]:
    """Return the layers that are sent of each picture; check that the last of them ends it, and only that."""
    sent: list[list[tuple[int, int]]] = [[] for _ in range(pictures)]
    ends: list[list[bool]] = [[] for _ in range(pictures)]
    for picture, template, is_sent, closes, _ in play(structure, wishes, pictures, keys=keys):
        if is_sent:
            sent[picture].append((template.spatial, template.temporal))
            ends[picture].append(closes)
    assert all(each == [False] * (len(each) - 1) + [True] for each in ends if each)
    return sent


def test_everything_is_sent_to_who_wants_it() -> None:
    assert sent_layers(FULL, {0: (ALL, ALL)}, 8) == [
        [(size, rate) for size in range(3)] for rate in (0, 2, 1, 2, 0, 2, 1, 2)
    ]


def test_down_in_size_at_once_and_up_at_a_key_picture() -> None:
    sent = sent_layers(FULL, {0: (TOP, ALL), 5: (LOW, ALL), 9: (MIDDLE, ALL)}, 20, keys=(0, 15))
    assert [max(size for size, _ in picture) for picture in sent] == [2] * 5 + [0] * 10 + [1] * 5


def test_up_in_size_between_key_pictures_as_long_as_nothing_is_missing() -> None:
    sent = sent_layers(FULL, {0: (TOP, ALL), 5: (LOW, ALL), 8: (TOP, ALL)}, 12)
    assert [picture[-1][0] for picture in sent] == [2] * 5 + [0] * 3 + [2] * 4


def test_the_sizes_of_key_only_streams_change_at_key_pictures_alone() -> None:
    wishes = {0: (TOP, ALL), 5: (LOW, ALL), 13: (TOP, ALL)}
    sent = sent_layers(KEY_ONLY, wishes, 20, keys=(0, 10, 16))
    assert [[size for size, _ in picture] for picture in sent if picture and picture[0][1] == 0] == [
        [0, 1, 2],
        [2],
        [2],
        [0],
        [0],
        [0, 1, 2],
    ]
    assert not [picture for picture in sent[5:10] if picture and picture[0] != (2, 0)], "fewer of them until then"


def test_rates_go_down_at_once_and_up_where_nothing_is_missing() -> None:
    sent = sent_layers(TEMPORAL, {0: (ALL, ALL), 2: (ALL, 0), 6: (ALL, 1), 9: (ALL, ALL)}, 16)
    assert [picture[0][1] if picture else None for picture in sent] == [
        *(0, 2, None, None),
        *(0, None, 1, None),
        *(0, 2, 1, 2),
        *(0, 2, 1, 2),
    ]


def test_a_key_frame_is_waited_for_only_where_nothing_else_helps() -> None:
    def waits(structure: Structure, first: tuple[int, int], then: tuple[int, int]) -> bool:
        *_, (*_, native) = play(structure, {0: first, 6: then}, 9)
        return native.waits()

    assert waits(FULL, (LOW, ALL), (TOP, ALL))
    assert not waits(FULL, (TOP, ALL), (LOW, ALL))
    assert not waits(FULL, (TOP, 0), (TOP, ALL))
    assert not waits(FULL, (TOP, ALL), (TOP, 0))
    assert waits(KEY_ONLY, (TOP, ALL), (LOW, ALL))
    assert not waits(KEY_ONLY, (TOP, ALL), (TOP, 1))
    assert not waits(TEMPORAL, (0, 0), (0, ALL))


def test_a_smaller_picture_that_is_whole_can_wait_for_a_larger_one() -> None:
    def climbs(structure: Structure, first: tuple[int, int], then: tuple[int, int]) -> bool:
        *_, (*_, native) = play(structure, {0: first, 6: then}, 9)
        return native.climbs()

    assert climbs(FULL, (LOW, ALL), (TOP, ALL))
    assert not climbs(KEY_ONLY, (TOP, ALL), (LOW, ALL))
    assert not climbs(TEMPORAL, (0, 0), (0, ALL))


def test_a_layer_that_is_not_sent_is_not_waited_for_and_taken_up_when_it_is() -> None:
    native = Selection()
    native.set_targets(TWO.layers())
    lower = (1 << 3) - 1
    sent = []
    for made in make_frames(TWO, 12):
        template = TWO.templates[made.template]
        if made.picture < 8 and template.spatial:
            continue
        frame = as_frame(TWO, made.number, made.picture, template, lower if made.picture < 8 else EVERYTHING)
        if made.picture == 8 and template.spatial:  # it begins on what is below it, without a key frame
            frame = replace(frame, references=(1,))
        sent.append(offer(native, frame))
        assert not native.waits()
    assert sent[:8] == [(True, True)] * 8
    assert sent[8:] == [(True, False), (True, True)] * 4


@st.composite
def random_structures(draw: st.DrawFn) -> Structure:
    """Return templates of any indications and references, the first of which needs nothing and begins all targets."""
    spatial, temporal = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    layers = [(size, rate) for size in range(spatial) for rate in range(temporal)]
    templates = [Template(0, 0, (2,) * len(layers), ())]
    for size, rate in layers:
        for _ in range(draw(st.integers(1, 2))):
            marks = tuple(
                draw(st.sampled_from([0, 1, 2, 3])) if size <= most and rate <= often else 0 for most, often in layers
            )
            templates.append(Template(size, rate, marks, tuple(draw(st.lists(st.integers(1, 6), max_size=3)))))
    return Structure(0, len(layers), tuple(sorted(templates, key=lambda each: (each.spatial, each.temporal))))


Step = tuple[int, int, int, str, tuple[int, int] | None, int, int, str]
steps = st.tuples(
    st.integers(0, 20),  # template
    st.sampled_from([0, 0, 1]),  # a new picture
    st.sampled_from([1, 1, 1, 1, 2, 3, 600]),  # distance
    st.sampled_from(["new", "new", "new", "new", "again", "late"]),
    st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)),  # another wish
    st.sampled_from([EVERYTHING, EVERYTHING, EVERYTHING, 0b111, 0b110, 0]),
    st.sampled_from([255, 255, 255, 0, 1]),
    st.sampled_from(["end", "end", "marker", ""]),
)


@given(random_structures(), st.lists(steps, min_size=5, max_size=80), st.sampled_from([0, 65_530, 2**40]))
def test_equals_its_twin_and_sends_no_frame_without_what_it_refers_to(
    structure: Structure, script: list[Step], first: int
) -> None:
    native, twin = Selection(), oracle.Selection()
    for each in (native, twin):
        each.set_targets(structure.layers())
    number, picture, last = first, 0, None
    sent: set[int] = set()
    unknown: set[int] = set()
    opening: list[Step] = [(0, 1, 1, "new", None, EVERYTHING, 255, "")]
    for template, opens, distance, kind, wish, active, own, end in [*opening, *script]:
        if wish is not None:
            native.want(*wish)
            twin.want(*wish)
        if kind == "new" or last is None:
            passed = range(number + 1, number + distance)
            unknown |= set(passed)
            number, picture = number + distance, picture + opens
        at = structure.templates[template % len(structure.templates)]
        frame = as_frame(structure, number, picture, at, active)
        frame = replace(frame, own=own if own < structure.targets else 255, ends=bool(end), marker=end == "marker")
        if kind == "again" and last is not None:
            frame = last
        elif kind == "late" and unknown:
            frame = as_frame(structure, max(unknown), picture, at, active)
            unknown.discard(frame.number)
        elif kind == "late":
            continue
        answer = offer(native, frame, late=kind == "late")
        assert answer == twin.take(frame, late=kind == "late")
        assert native.target() == twin.target()
        assert native.waits() == twin.waits()
        assert native.climbs() == twin.climbs()
        if kind == "new":
            last = frame
        if answer is not None and answer[0] and kind != "again":
            sent.add(frame.number)
            missing = [frame.number - each for each in frame.references if frame.number - each not in sent]
            assert all(each in unknown for each in missing), "a frame went out without what it refers to"


@given(
    st.sampled_from([FULL, KEY_ONLY, TEMPORAL, TWO]),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 3)), max_size=20),
    st.sets(st.integers(1, 100), max_size=6),
    st.sets(st.integers(1, 250), max_size=20),
)
def test_real_structures_stay_decodable_over_switches_and_loss(
    structure: Structure, switches: list[tuple[int, int, int]], keys: set[int], lost: set[int]
) -> None:
    """Every frame that was sent refers to frames that were sent or lost; every picture that has any has its end."""
    native = Selection()
    native.set_targets(structure.layers())
    wishes: dict[int, tuple[int, int]] = {}
    at = 0
    for distance, size, rate in switches:
        at += distance
        wishes[at] = size, rate
    sent: set[int] = set()
    ends: dict[int, bool] = {}
    for made in make_frames(structure, 100, keys=(0, *keys), first=65_400):
        if made.picture in wishes:
            native.want(*wishes[made.picture])
        template = structure.templates[made.template]
        index = made.number - 65_400
        if index in lost:
            continue
        answer = offer(native, as_frame(structure, made.number, made.picture, template))
        assert answer is not None
        if answer[0]:
            sent.add(made.number)
            for each in template.references:
                assert made.number - each in sent or index - each in lost
            assert not ends.get(made.picture), "nothing follows the end of a picture"
            ends[made.picture] = answer[1]
    touched = {
        picture
        for picture in ends
        if any(picture * _sizes(structure) <= each < (picture + 1) * _sizes(structure) for each in lost)
    }
    assert all(closed for picture, closed in ends.items() if picture not in touched)


def _sizes(structure: Structure) -> int:
    return max(each.spatial for each in structure.templates) + 1


def play_with_a_frame_left_out(
    left_out: int, wish: tuple[int, int] = (ALL, ALL), *, marker: bool = False, lost: Sequence[int] = ()
) -> tuple[list[list[int]], list[bool]]:
    """Let an encoder leave out the top frame of a picture; return the sizes sent of each picture, and who waits."""
    native = Selection()
    native.set_targets(FULL.layers())
    native.want(*wish)
    sent: list[list[int]] = [[] for _ in range(8)]
    waits = [False] * 8
    numbers: list[int] = []
    for made in make_frames(FULL, 8):
        template = FULL.templates[made.template]
        if (made.picture, template.spatial) == (left_out, TOP):
            continue  # those that follow are numbered, and refer, as if it had never been
        numbers.append(made.number)
        references = tuple(
            len(numbers) - 1 - numbers.index(made.number - each)
            for each in template.references
            if made.number - each in numbers
        )
        frame = as_frame(FULL, len(numbers), made.picture, template)
        ends_picture = template.spatial == (MIDDLE if made.picture == left_out else TOP)
        frame = replace(frame, references=references, ends=True, marker=marker and ends_picture)
        if len(numbers) not in lost:
            answer = offer(native, frame)
            sent[made.picture] += [template.spatial] if answer and answer[0] else []
        waits[made.picture] = native.waits()
    return sent, waits


def test_nothing_goes_on_from_a_picture_whose_end_the_encoder_left_out() -> None:
    sent, waits = play_with_a_frame_left_out(4)
    assert sent == [[0, 1, 2]] * 4 + [[0, 1]] + [[]] * 3, "receivers could decode none of it"
    assert waits == [False] * 5 + [True] * 3
    sent, waits = play_with_a_frame_left_out(3)
    assert sent == [[0, 1, 2]] * 3 + [[0, 1]] + [[0, 1, 2]] * 4, "nothing refers to it"
    assert not any(waits)


def test_a_picture_that_ends_below_is_whole_for_who_is_told_so() -> None:
    assert play_with_a_frame_left_out(4, (MIDDLE, ALL)) == ([[0, 1]] * 8, [False] * 8)
    sent, waits = play_with_a_frame_left_out(4, marker=True)
    assert [len(each) for each in sent] == [3] * 4 + [2] + [3] * 3
    assert not any(waits)


def test_the_end_of_a_picture_that_was_lost_may_still_come() -> None:
    sent, waits = play_with_a_frame_left_out(7, lost=[15])
    assert all(sent[5:7])
    assert not any(waits)


def test_a_late_packet_is_decided_like_the_others_of_its_frame() -> None:
    native = Selection()
    native.set_targets(FULL.layers())
    native.want(LOW, ALL)
    frames = list(make_frames(FULL, 4))
    as_sent = [as_frame(FULL, each.number, each.picture, FULL.templates[each.template]) for each in frames]
    for frame in [*as_sent[:3], *as_sent[5:]]:
        offer(native, frame)
    assert offer(native, as_sent[3], late=True) == (True, True)
    assert offer(native, as_sent[4], late=True) == (False, False)
    assert offer(native, as_sent[2], late=True) == (False, False)


def test_what_is_long_ago_is_not_sent() -> None:
    native = Selection()
    native.set_targets(TEMPORAL.layers())
    key, delta = TEMPORAL.templates[0], TEMPORAL.templates[1]
    offer(native, as_frame(TEMPORAL, 0, 0, key))
    late = as_frame(TEMPORAL, 600 - 512, 1, delta)
    offer(native, as_frame(TEMPORAL, 600, 2, key))
    assert offer(native, late, late=True) == (False, False)


def test_more_than_there_can_be_is_refused() -> None:
    native = Selection()
    with pytest.raises(ValueError, match="no targets"):
        offer(native, as_frame(TEMPORAL, 0, 0, TEMPORAL.templates[0]))
    with pytest.raises(ValueError, match="33 decode targets"):
        native.set_targets([(0, 0)] * 33)
