"""Making our half of the ICE credentials (RFC 8445 section 5.3) from bytes of randomness."""

from __future__ import annotations

import base64
from collections.abc import Callable

from media.rtp.parameters import IceCredentials

_UFRAG_BYTES = 9  # 12 characters, 72 bits: demultiplexing relies on no two being equal (RFC asks for 24 bits)
_PASSWORD_BYTES = 18  # 24 characters, 144 bits (RFC asks for 128)


def make_credentials(token: Callable[[int], bytes]) -> IceCredentials:
    """Return fresh credentials; `token(n)` gives n unpredictable bytes. Standard base64 is exactly the ice-char set."""
    return IceCredentials(
        ufrag=base64.b64encode(token(_UFRAG_BYTES)).decode("ascii"),
        password=base64.b64encode(token(_PASSWORD_BYTES)).decode("ascii"),
    )
