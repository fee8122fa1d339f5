"""How notifications are named where they are not there."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase

THE_NOTIFICATION: Final = Phrase("notification", "الإشعار")
