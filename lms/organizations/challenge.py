"""The proof that a host is somebody's: a TXT record beside it in DNS that holds a token of ours. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LABEL: Final = "_halqa-challenge"
"""In front of the host: so the proof needs no change of the host's own records, and can be a CNAME to elsewhere."""
LABEL_CHARACTERS_MAX: Final = 63  # RFC 1035 section 2.3.4, as is the next
NAME_CHARACTERS_MAX: Final = 253
"""As text, without the dot at the end; 255 octets on the wire."""
FOUND_SHOWN_MAX: Final = 3
"""Values of others that a refusal repeats; enough to see a typing error."""
FOUND_CHARACTERS_MAX: Final = 100
"""Of each of them."""


def record_name(host: str) -> str:
    """Return the name of the TXT record that proves a host."""
    return f"{LABEL}.{host}"


def can_be_proven(host: str) -> bool:
    """Tell whether the record's name is one that DNS can hold: no empty or long label, and not too long as a whole."""
    labels = host.split(".")
    return len(record_name(host)) <= NAME_CHARACTERS_MAX and all(
        0 < len(label) <= LABEL_CHARACTERS_MAX for label in labels
    )


def proves(values: Sequence[str], token: str) -> bool:
    """Tell whether one of the record's values is the token; spaces and quotes that forms of providers add are none."""
    return any(value.strip().strip('"').strip() == token for value in values)


def shown(values: Sequence[str]) -> str:
    """Return what was found instead, shortened."""
    texts = [value if len(value) <= FOUND_CHARACTERS_MAX else f"{value[:FOUND_CHARACTERS_MAX]}…" for value in values]
    more = len(texts) - FOUND_SHOWN_MAX
    return ", ".join(texts[:FOUND_SHOWN_MAX]) + (f", … (+{more})" if more > 0 else "")
