"""How what belongs to an organization is named where it is not there, and why a host is refused."""

from __future__ import annotations

from typing import Final

from lms.api.phrases import Phrase
from lms.api.problems import ALREADY_TAKEN, Problem, ProblemError

HOST_NAME_NOT_FOUND: Final = Problem(
    "host_name_not_found",
    422,
    "DNS knows no name {record}; make a TXT record of that name with the value {expected}. New records take a while.",
    "لا يوجد في DNS الاسم {record}؛ أنشئ سجل TXT بهذا الاسم وقيمته {expected}. قد يتأخر ظهور السجلات الجديدة.",
)
HOST_RECORD_MISSING: Final = Problem(
    "host_record_missing",
    422,
    "The name {record} has no TXT record in DNS; make one with the value {expected}.",
    "ليس للاسم {record} سجل TXT في DNS؛ أنشئ سجلًا قيمته {expected}.",
)
HOST_RECORD_DIFFERS: Final = Problem(
    "host_record_differs",
    422,
    "The TXT record {record} holds {value}, expected {expected}.",
    "قيمة سجل TXT ذي الاسم {record} هي {value}، والمتوقع {expected}.",
)
DNS_SILENT: Final = Problem(
    "dns_silent",
    422,
    "DNS did not answer for {record}: the domain's nameservers may be away. The TXT record must hold {expected}.",
    "لم يصل جواب من DNS عن {record}: قد تكون خوادم أسماء النطاق متوقفة. يجب أن تكون قيمة سجل TXT هي {expected}.",
)

THE_ORGANIZATION: Final = Phrase("organization", "المؤسسة")
THE_HOST: Final = Phrase("host", "عنوان الموقع")
PROVABLE_HOST: Final = Phrase(
    "a name with labels of 1 to 63 characters, of 236 in all",
    "اسمًا طول كل جزء فيه من 1 إلى 63 حرفًا، ولا يتجاوز 236 حرفًا",
)
THE_BRANCH: Final = Phrase("branch", "الفرع")


def host_taken(host: str) -> ProblemError:
    """Return the refusal of a host that another organization has."""
    return ProblemError(ALREADY_TAKEN, field="host", value=host, rule="unique")
