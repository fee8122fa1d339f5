"""How what belongs to an organization is named where it is not there."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase

THE_ORGANIZATION: Final = Phrase("organization", "المؤسسة")
THE_HOST: Final = Phrase("host", "عنوان الموقع")
THE_BRANCH: Final = Phrase("branch", "الفرع")
