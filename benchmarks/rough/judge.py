"""A row of figures against what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rough.call import Watched
from benchmarks.rough.links import CLEAR, Link


def missed(link: Link, row: Watched) -> list[str]:
    """Return what this row did not reach, one sentence each. What was not seen at all is not reached."""
    asked, found = link.asked, row.noticed
    bounds = (
        ("freezes, % of the time", found.freeze_percent, asked.freeze_percent_max),
        ("concealed sound, %", found.concealed_percent, asked.concealed_percent_max),
        ("longest gap of sound, ms", found.sound_gap_ms, asked.sound_gap_ms_max),
    )
    faults = [
        f"{what}: {reached}, asked at most {most:g}"
        for what, reached, most in bounds
        if most is not None and (reached is None or reached > most)
    ]
    if asked.screen_fps_min is not None and (found.screen_fps or 0.0) < asked.screen_fps_min:
        faults.append(f"pictures of the screen a second: {found.screen_fps}, asked at least {asked.screen_fps_min:g}")
    return faults


def format_title(cores: int) -> str:
    """Return the table's head."""
    head = f"{'link':8} {'lost %':>6} {'freeze %':>14} {'concealed %':>14} {'gap ms':>12} {'screen /s':>12} "
    head += f"{'fps':>5} {'RED':>5} {'nack':>5} {'pli':>4} {'queue ms':>8} {'buffer ms':>9} busy of {cores}"
    return f"figures are reached/asked\n{head}"


def format_row(link: Link, row: Watched) -> str:
    """Return a line of the table; `!` marks what is missed."""
    asked, found = link.asked, row.noticed
    cells = (
        f"{link.name:8} {found.lost_percent:6.2f}",
        f"{_pair(found.freeze_percent, asked.freeze_percent_max):>14}",
        f"{_pair(found.concealed_percent, asked.concealed_percent_max):>14}",
        f"{_pair(found.sound_gap_ms, asked.sound_gap_ms_max):>12}",
        f"{_pair(found.screen_fps, asked.screen_fps_min):>12}",
        f"{found.video_fps or 0:5.1f} {row.red_packets:5d} {found.nacks:5d} {found.plis:4d}",
        f"{found.queue_p95_ms or 0:8.0f} {found.sound_delay_ms or 0:9.0f} {row.busy_cores:6.2f}",
        "!" if missed(link, row) else "",
    )
    return " ".join(cells).rstrip()


def format_floor(rows: Sequence[tuple[Link, Watched]]) -> str:
    """Return what this computer shows without any loss: no row can be better than that."""
    clear = next((row.noticed for link, row in rows if link.name == CLEAR), None)
    if clear is None:
        return f"floor: not measured, without the row {CLEAR}"
    freezes, concealed = (_pair(each, None) for each in (clear.freeze_percent, clear.concealed_percent))
    return f"floor (row {CLEAR}): freezes {freezes[:-2]} %, concealed {concealed[:-2]} %"


def _pair(reached: float | None, asked: float | None) -> str:
    shown = "-" if reached is None else f"{reached:.2f}"
    return f"{shown}/{'-' if asked is None else f'{asked:g}'}"
