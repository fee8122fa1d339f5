"""Restriction identifiers and simulcast: a=rid (RFC 8851) and a=simulcast (RFC 8853), read and written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from signaling.sdp.description import RidLine, Simulcast, SimulcastEncoding, SimulcastStream
from signaling.sdp.errors import SdpError, quote
from signaling.sdp.limits import SdpLimits
from signaling.sdp.lines import Attribute, Block
from signaling.sdp.tokens import parse_parameters, parse_payload_type, parse_rid

_PAUSED: Final = "~"


def parse_rids(section: Block, limits: SdpLimits) -> tuple[RidLine, ...]:
    """Return the rids in order; one may stand once."""
    lines: dict[str, RidLine] = {}
    for attribute in section.every("rid", limits.rids_per_section):
        line = _parse_rid_line(attribute, limits)
        if line.rid in lines:
            raise SdpError(f"rid {quote(line.rid)} stands twice in a section", line=attribute.line)
        lines[line.rid] = line
    return tuple(lines.values())


def parse_simulcast(section: Block, limits: SdpLimits) -> Simulcast | None:
    """Return a=simulcast; its rids are not compared with the a=rid lines."""
    attribute = section.single("simulcast")
    if attribute is None:
        return None
    fields = attribute.value.split()
    directions = fields[0::2]
    if len(fields) not in (2, 4) or not set(directions) <= {"send", "recv"} or len(set(directions)) != len(directions):
        raise SdpError(f"simulcast is {quote(attribute.value)}, expected send or recv and rids", line=attribute.line)
    streams = {
        direction: _parse_streams(text, attribute, limits)
        for direction, text in zip(directions, fields[1::2], strict=True)
    }
    return Simulcast(send=streams.get("send", ()), receive=streams.get("recv", ()))


def build_rid(line: RidLine) -> str:
    """Return the value of an a=rid line."""
    restrictions = [f"pt={','.join(map(str, line.payload_types))}"] if line.payload_types else []
    restrictions += [f"{name}={value}" if value else name for name, value in line.restrictions.items()]
    direction = "send" if line.sends else "recv"
    return " ".join([line.rid, direction, *([";".join(restrictions)] if restrictions else [])])


def build_streams(streams: Iterable[SimulcastStream]) -> str:
    """Return simulcast streams as they stand after "send" or "recv"."""
    return ";".join(",".join(_PAUSED * encoding.paused + encoding.rid for encoding in stream) for stream in streams)


def _parse_rid_line(attribute: Attribute, limits: SdpLimits) -> RidLine:
    fields = attribute.value.split(maxsplit=2)
    if len(fields) < 2 or fields[1] not in ("send", "recv"):
        raise SdpError(f"rid line is {quote(attribute.value)}, expected a rid and send or recv", line=attribute.line)
    count_max = limits.restrictions_per_rid
    restrictions = parse_parameters(fields[2] if len(fields) > 2 else "", "rid", attribute.line, count_max=count_max)
    payload_types = restrictions.pop("pt", "")
    return RidLine(
        rid=parse_rid(fields[0], attribute.line),
        sends=fields[1] == "send",
        payload_types=tuple(parse_payload_type(text, attribute.line) for text in payload_types.split(",") if text),
        restrictions=restrictions,
    )


def _parse_streams(text: str, attribute: Attribute, limits: SdpLimits) -> tuple[SimulcastStream, ...]:
    seen: set[str] = set()
    streams: list[SimulcastStream] = []
    for alternatives in text.split(";"):
        stream = tuple(_parse_encoding(name, attribute) for name in alternatives.split(","))
        for encoding in stream:
            if encoding.rid in seen:
                raise SdpError(f"rid {quote(encoding.rid)} stands twice in simulcast", line=attribute.line)
            seen.add(encoding.rid)
        streams.append(stream)
    if len(seen) > limits.rids_per_section:
        raise SdpError(f"simulcast has more than {limits.rids_per_section} rids", line=attribute.line)
    return tuple(streams)


def _parse_encoding(text: str, attribute: Attribute) -> SimulcastEncoding:
    return SimulcastEncoding(parse_rid(text.removeprefix(_PAUSED), attribute.line), paused=text.startswith(_PAUSED))
