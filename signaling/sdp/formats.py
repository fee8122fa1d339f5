"""Payload types of a section: a=rtpmap, a=fmtp and a=rtcp-fb joined (RFC 8866 sections 6.6 and 6.15, RFC 4585).

A browser repeats the same fifty lines in each of twenty sections, so what was read once is found again by its text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from media.rtp.parameters import PayloadType
from signaling.sdp.description import MediaLine, PayloadFormat
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block, Line
from signaling.sdp.tokens import parse_number, parse_parameters, parse_payload_type, parse_token

CLOCK_RATE_MAX_HZ: Final = 10_000_000
CHANNELS_MAX: Final = 255

FormatMemo: TypeAlias = dict[tuple[tuple[str, ...], ...], tuple[PayloadFormat, ...]]
"""Formats of sections read so far, by the texts of their lines. One offer's: what strangers send fills no cache."""

_EVERY: Final = "*"
"""In a=rtcp-fb: for all payload types of the section."""
_LINES: Final = ("rtpmap", "fmtp", "rtcp-fb")


def parse_payload_types(formats: Iterable[str], line: Line) -> list[PayloadType]:
    """Return the payload types of an m= line, which may not repeat."""
    payload_types = [parse_payload_type(text, line.number) for text in formats]
    if len(set(payload_types)) != len(payload_types):
        raise SdpError(f"a payload type stands twice in m={quote(line.value)}", line=line.number)
    return payload_types


def parse_formats(line: MediaLine, section: Block, limits: SdpLimits, memo: FormatMemo) -> tuple[PayloadFormat, ...]:
    """Return the formats of those payload types of a line that have an a=rtpmap line, in the line's order."""
    found = section.attributes
    key = (line.formats, *(tuple(attribute.value for attribute in found.get(name, ())) for name in _LINES))
    if key not in memo:
        memo[key] = _join_lines(parse_payload_types(line.formats, section.heading), section, limits)
    return memo[key]


def _join_lines(payload_types: Iterable[PayloadType], section: Block, limits: SdpLimits) -> tuple[PayloadFormat, ...]:
    names = _parse_rtpmaps(section, limits)
    parameters = _parse_fmtps(section, limits)
    feedback = _parse_feedback(section, limits)
    formats: list[PayloadFormat] = []
    for payload_type in payload_types:
        if payload_type not in names:
            continue
        name, clock_rate_hz, channels = names[payload_type]
        formats.append(
            PayloadFormat(
                payload_type=payload_type,
                name=name,
                clock_rate_hz=clock_rate_hz,
                channels=channels,
                parameters=parameters.get(payload_type, {}),
                feedback=tuple(dict.fromkeys(feedback.get(str(payload_type), []) + feedback.get(_EVERY, []))),
            )
        )
    return tuple(formats)


def _split_payload_type(attribute: Attribute, what: str) -> tuple[PayloadType, str]:
    number, _, rest = attribute.value.partition(" ")
    rest = rest.strip()
    if not rest:
        raise SdpError(f"{what} is {quote(attribute.value)}, expected a payload type and more", line=attribute.line)
    return parse_payload_type(number, attribute.line), rest


def _parse_rtpmaps(section: Block, limits: SdpLimits) -> dict[PayloadType, tuple[str, int, int]]:
    """Return name, clock rate in Hz and channels by payload type."""
    names: dict[PayloadType, tuple[str, int, int]] = {}
    for attribute in section.every("rtpmap", limits.formats_per_section):
        payload_type, rest = _split_payload_type(attribute, "rtpmap")
        if payload_type in names:
            raise SdpError(f"payload type {payload_type} has two rtpmap lines", line=attribute.line)
        name, slash, rates = rest.partition("/")
        clock_rate, _, channels = rates.partition("/")
        if not slash:
            raise SdpError(f"rtpmap is {quote(attribute.value)}, expected a name and a clock rate", line=attribute.line)
        names[payload_type] = (
            parse_token(name, "encoding name", attribute.line),
            parse_number(clock_rate, "clock rate", attribute.line, minimum=1, maximum=CLOCK_RATE_MAX_HZ),
            parse_number(channels or "1", "number of channels", attribute.line, minimum=1, maximum=CHANNELS_MAX),
        )
    return names


def _parse_fmtps(section: Block, limits: SdpLimits) -> dict[PayloadType, dict[str, str]]:
    """Return parameters by payload type; those of a second a=fmtp line complete the first."""
    parameters: dict[PayloadType, dict[str, str]] = {}
    for attribute in section.every("fmtp", limits.formats_per_section):
        payload_type, rest = _split_payload_type(attribute, "fmtp")
        added = parse_parameters(rest, "fmtp", attribute.line, count_max=limits.parameters_per_format)
        parameters[payload_type] = added | parameters.get(payload_type, {})
    return parameters


def _parse_feedback(section: Block, limits: SdpLimits) -> dict[str, list[str]]:
    """Return feedback messages by payload type as text, or "*"."""
    feedback: dict[str, list[str]] = {}
    for attribute in section.every("rtcp-fb", limits.formats_per_section * limits.feedback_per_format):
        number, _, rest = attribute.value.partition(" ")
        message = " ".join(rest.split())
        if not message:
            raise SdpError(
                f"rtcp-fb is {quote(attribute.value)}, expected a payload type and more", line=attribute.line
            )
        key = number if number == _EVERY else str(parse_payload_type(number, attribute.line))
        messages = feedback.setdefault(key, [])
        messages.append(message)
        if len(messages) > limits.feedback_per_format:
            raise SdpError(
                f"payload type {key} has more than {limits.feedback_per_format} rtcp-fb", line=attribute.line
            )
    return feedback
