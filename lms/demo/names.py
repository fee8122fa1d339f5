"""Names of people who do not exist, each as it is written in Arabic and in Latin letters."""

from __future__ import annotations

from typing import Final

Name = tuple[str, str]
"""In Arabic, in Latin letters."""

ARABIC_GIVEN: Final[tuple[Name, ...]] = (
    ("لينا", "Lina"), ("يوسف", "Yusuf"), ("مريم", "Maryam"), ("خالد", "Khalid"), ("نورة", "Noura"),
    ("إبراهيم", "Ibrahim"), ("سلمى", "Salma"), ("أحمد", "Ahmad"), ("هند", "Hind"), ("طارق", "Tariq"),
    ("رنا", "Rana"), ("بلال", "Bilal"), ("أمل", "Amal"), ("زياد", "Ziad"), ("دانة", "Dana"),
    ("فيصل", "Faisal"), ("جنى", "Jana"), ("ماجد", "Majid"), ("شهد", "Shahd"), ("أنس", "Anas"),
)  # fmt: skip
ARABIC_FAMILY: Final[tuple[Name, ...]] = (
    ("الحربي", "Al-Harbi"), ("الشمري", "Al-Shammari"), ("القحطاني", "Al-Qahtani"), ("الدوسري", "Al-Dosari"),
    ("الغامدي", "Al-Ghamdi"), ("الزهراني", "Al-Zahrani"), ("المطيري", "Al-Mutairi"), ("العتيبي", "Al-Otaibi"),
    ("البلوي", "Al-Balawi"), ("العنزي", "Al-Anazi"),
)  # fmt: skip
ENGLISH_GIVEN: Final = (
    "Amelia", "Oliver", "Grace", "Noah", "Sophie", "Ethan", "Hannah", "Lucas", "Emily", "Jack", "Clara", "Henry",
    "Isla", "Leo", "Maya", "Oscar", "Ruby", "Samuel", "Zoe", "Adam",
)  # fmt: skip
ENGLISH_FAMILY: Final = (
    "Baker", "Carter", "Dixon", "Evans", "Foster", "Graham", "Hughes", "Irving", "Jordan", "Keller",
)  # fmt: skip
