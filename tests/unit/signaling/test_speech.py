"""Who speaks and who leads, on timelines of levels: what a class would see, and what may never happen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.speech import HOLD_S, LEAD_HOLD_S, Speech

STEP_S = 0.1
PACKETS = 5  # of a step: 20 ms each
TALK, MURMUR, HUM, QUIET = 25, 40, 60, 127
"""-dBov of a voice, of one that is farther from the microphone, of a room, and of nothing."""

Sound = Callable[[float], int | None]
"""The level at a moment; None: no packet."""


def during(*spans: tuple[float, float], level: int = TALK, otherwise: int | None = QUIET) -> Sound:
    """Return a sound that is there in some spans of time only."""
    return lambda at: level if any(start <= at < end for start, end in spans) else otherwise


def words(*spans: tuple[float, float], level: int = TALK) -> Sound:
    """Return speech: words of 300 ms with pauses of 100 ms."""
    talking = during(*spans, level=level)
    return lambda at: talking(at) if at % 0.4 < 0.3 else QUIET


def run(sounds: Mapping[str, Sound], until_s: float, speech: Speech[str] | None = None) -> list[tuple[str, ...]]:
    """Return who spoke at each step, the leader first."""
    speech = speech or Speech()
    seen = []
    for step in range(round(until_s / STEP_S)):
        moments = [step * STEP_S + packet * STEP_S / PACKETS for packet in range(PACKETS)]
        heard = {name: [sound(at) for at in moments] for name, sound in sounds.items()}
        levels = {name: bytes(level for level in each if level is not None) for name, each in heard.items()}
        speech.hear({name: each for name, each in levels.items() if each}, now=100 + (step + 1) * STEP_S)
        seen.append(speech.speaking)
        assert speech.leader == (speech.speaking[0] if speech.speaking else None)
    return seen


def times(seen: Sequence[tuple[str, ...]], name: str) -> list[float]:
    """Return when somebody was among the speakers, in seconds."""
    return [round((step + 1) * STEP_S, 1) for step, names in enumerate(seen) if name in names]


def leaders(seen: Sequence[tuple[str, ...]]) -> list[str | None]:
    """Return who led one after the other."""
    return [name for name, _ in itertools.groupby(names[0] if names else None for names in seen)]


def test_a_voice_counts_after_200_ms_and_until_a_second_after_its_end() -> None:
    speaking = times(run({"amal": during((1, 4))}, 7), "amal")
    assert speaking[0] == pytest.approx(1.2)
    assert speaking[-1] == pytest.approx(4 + HOLD_S, abs=0.11)
    assert len(speaking) == round((speaking[-1] - speaking[0]) / STEP_S) + 1, "without a break"


def test_pauses_between_words_and_sentences_do_not_interrupt() -> None:
    seen = run({"amal": words((0, 2), (2.7, 5), (5.6, 8))}, 8)
    speaking = times(seen, "amal")
    assert speaking[0] <= 0.5
    assert len(speaking) == round((8 - speaking[0]) / STEP_S) + 1


@pytest.mark.parametrize("length_s", [0.02, 0.06, 0.1, 0.14])
def test_a_click_is_not_speech(length_s: float) -> None:
    clicks = [(start, start + length_s) for start in range(1, 30, 2)]
    assert times(run({"amal": during(*clicks, level=10)}, 30), "amal") == []


def test_who_is_silent_or_hums_does_not_speak() -> None:
    sounds: dict[str, Sound] = {"silent": during(), "hum": during(level=HUM, otherwise=HUM), "dtx": lambda _at: None}
    assert set(run(sounds, 5)) == {()}


def test_a_fan_is_taken_for_noise_and_a_voice_above_it_is_not() -> None:
    speech: Speech[str] = Speech()
    fan = during(level=MURMUR, otherwise=MURMUR)
    seen = run({"amal": fan}, 20, speech)
    assert times(seen, "amal")[-1] < 15
    over_it: Sound = lambda at: TALK if at % 0.4 < 0.3 else MURMUR  # noqa: E731
    heard = Speech[str](voices=speech.voices)
    assert times(run({"amal": over_it}, 3, heard), "amal")[0] <= 0.5


def test_music_does_not_silence_itself() -> None:
    seen = run({"film": during(level=20, otherwise=20)}, 120)
    assert len(times(seen, "film")) >= 1190


def test_three_in_turn_lead_in_turn() -> None:
    sounds = {"amal": words((0, 4)), "badr": words((4, 8)), "chen": words((8, 12))}
    seen = run(sounds, 14)
    assert leaders(seen) == [None, "amal", "badr", "chen", None]
    for name, start in (("badr", 4.0), ("chen", 8.0)):
        began = next(at for at in times(seen, name))
        led = next(round((step + 1) * STEP_S, 1) for step, names in enumerate(seen) if names[:1] == (name,))
        assert began - start <= 0.4
        assert led - start <= 1.2


def test_a_word_of_agreement_does_not_take_the_lead() -> None:
    sounds = {"teacher": words((0, 20)), "amal": during((5, 5.4), (11, 11.4), (15.2, 15.6))}
    assert leaders(run(sounds, 20)) == [None, "teacher"]


def test_who_is_a_little_louder_does_not_take_the_lead_and_who_is_much_louder_does() -> None:
    assert leaders(run({"amal": words((0, 20), level=30), "badr": words((3, 20), level=25)}, 20)) == [None, "amal"]
    louder = run({"amal": words((0, 20), level=36), "badr": words((3, 20), level=20)}, 20)
    assert leaders(louder) == [None, "amal", "badr"]
    assert louder[-1] == ("badr", "amal")


def test_two_equal_voices_do_not_take_turns_in_leading() -> None:
    seen = run({"amal": during((0, 60)), "badr": during((0.5, 60))}, 60)
    assert leaders(seen) == [None, "amal"]


def test_who_is_muted_is_silent_at_once() -> None:
    speech: Speech[str] = Speech()
    run({"amal": during((0, 9)), "badr": during((2, 9), level=35)}, 9, speech)
    assert speech.speaking == ("amal", "badr")
    for kept in (["badr"], []):
        speech.keep(kept)
        assert list(speech.speaking) == list(speech.voices) == kept
        assert speech.leader == (kept[0] if kept else None)


def test_those_who_were_silent_for_long_cost_nothing() -> None:
    speech: Speech[str] = Speech()
    run({"amal": during((0, 2), otherwise=None)}, 8, speech)
    assert speech.voices == {}


@pytest.mark.parametrize(("level", "expected"), [(20, 1.0), (10, 1.0), (30, 0.5), (40, 0.25), (QUIET, 0.0)])
def test_ten_decibels_are_half_as_loud(level: int, expected: float) -> None:
    speech: Speech[str] = Speech()
    run({"amal": during((0, 4), level=level)}, 4, speech)
    assert speech.level("amal") == pytest.approx(expected, abs=0.01)
    assert speech.level("nobody") == 0.0


def test_the_voice_bit_is_not_a_level() -> None:
    speech: Speech[str] = Speech()
    for step in range(10):
        speech.hear({"amal": bytes([0x80 | 30] * 5), "badr": bytes([0x80 | 127] * 5)}, now=step * STEP_S)
    assert speech.speaking == ("amal",)


# -- whatever comes ---------------------------------------------------------------------------------------------------

NAMES = ("amal", "badr", "chen", "dana")
steps = st.tuples(
    st.dictionaries(st.sampled_from(NAMES), st.binary(min_size=1, max_size=16), max_size=4),
    st.sampled_from([0.1, 0.1, 0.1, 0.0, 0.13, 0.3, 1.0, 7.0]),
    st.frozensets(st.sampled_from(NAMES), min_size=2),
)


@given(st.lists(steps, max_size=60))
def test_nobody_speaks_who_was_not_heard(script: list[tuple[dict[str, bytes], float, frozenset[str]]]) -> None:
    speech: Speech[str] = Speech()
    now, loud_at, led, led_at = 50.0, dict.fromkeys(NAMES, -1e9), None, -1e9
    for heard, pause_s, kept in script:
        now += pause_s
        speech.keep(kept)
        speech.hear({name: levels for name, levels in heard.items() if name in kept}, now=now)
        for name in kept & heard.keys():
            if any(level & 127 <= 45 for level in heard[name]):
                loud_at[name] = now
        assert set(speech.speaking) <= kept, "who is muted or gone does not speak"
        assert all(now - loud_at[name] < HOLD_S for name in speech.speaking)
        assert len(set(speech.speaking)) == len(speech.speaking)
        assert (speech.leader is None) == (not speech.speaking)
        assert speech.leader is None or speech.speaking[0] == speech.leader
        assert all(0.0 <= speech.level(name) <= 1.0 for name in NAMES)
        if speech.leader != led:
            assert led not in speech.speaking or now - led_at >= LEAD_HOLD_S - 1e-9, "the lead is held"
            led, led_at = speech.leader, now


@given(
    st.lists(st.sampled_from([12, 17, 23, 28, 50, QUIET]), min_size=2, max_size=4),
    st.lists(st.floats(0, 6), min_size=4, max_size=4),
)
def test_what_goes_on_as_it_is_settles(levels: list[int], starts: list[float]) -> None:
    sounds = {name: during((start, 99), level=level) for name, level, start in zip(NAMES, levels, starts, strict=False)}
    seen = run(sounds, 13)
    assert len(set(seen[-30:])) == 1, "nothing changes in the last three seconds"
    heard = {name for name, level in zip(NAMES, levels, strict=False) if level <= 45}
    assert set(seen[-1]) == heard
    if seen[-1]:
        loudest = min(levels)
        assert levels[NAMES.index(seen[-1][0])] - loudest < 10, "who leads is within 10 dB of the loudest"
