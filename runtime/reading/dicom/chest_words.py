"""Words for the chest and what is in it, in the languages in which radiographs are labelled.

PS3.16 Annex L has Body Part Examined in English and capitals; what modalities are set up to write
is in the language of the ward, with accents, in any character set. Words are compared without
accents and case. Those of four or five letters must stand alone, since they may be part of others.
"""

import re
import unicodedata

from pydicom.dataset import Dataset

from .header import Header
from .text import character_sets, decode

_PARTS_OF_WORDS = (
    # English, Latin, and with endings German, French, Spanish, Portuguese, Italian, Romanian
    *("chest", "thorax", "thorac", "lung", "pulmo", "rib", "sternum", "heart", "mediastin"),
    *("torax", "torac", "poitrine", "poumon", "pulmão", "polmon", "plămân"),
    # German, Dutch, Afrikaans, Swedish, Danish and Norwegian, Icelandic
    *("brustkorb", "borstkas", "borskas", "bröstkorg", "brystkasse", "brjósthol"),
    # Finnish, Estonian, Latvian, Lithuanian, Hungarian, Turkish, Uzbek, Albanian
    *("rintakehä", "keuhko", "rindkere", "krūškurv", "plauš", "krūtinės", "plauči", "mellkas"),
    *("toraks", "göğüs", "akciğer", "ko'krak", "kraharor", "mushkëri"),
    # Polish, Czech and Slovak, Slovene, Croatian and Serbian
    *("klatka piersiowa", "klatki piersiowej", "płuc", "hrudník", "hrudník", "plíce", "pľúc"),
    *("prsni koš", "pljuč", "grudni koš", "pluća"),
    # Russian and Ukrainian, Serbian, Bulgarian, Macedonian, Kazakh, Mongolian
    *("грудн", "грудь", "лёгки", "леген", "гръд", "граден кош", "кеуде", "цээж"),
    # Greek, Georgian, Armenian
    *("θώρακ", "θώραξ", "πνεύμον", "გულმკერდ", "կրծքավանդակ"),
    # Chinese and Japanese, Korean, Thai, Vietnamese
    *("胸", "肺", "キョウブ", "흉부", "가슴", "폐", "ทรวงอก", "ปอด", "lồng ngực"),
    # Hebrew, Arabic, Persian, Urdu, Hindi, Bengali, Tamil
    *("חזה", "ריאות", "صدر", "رئت", "سینه", "ریه", "سینہ", "छाती", "वक्ष", "বুক", "மார்பு"),
)
_WHOLE_WORDS = (
    # Spanish, Portuguese, Dutch, Hungarian, Vietnamese, Polish, Russian, Filipino, Swahili
    *("pecho", "peito", "longen", "tüdő", "ngực", "phổi", "klp", "огк", "dibdib", "kifua"),
    # Indonesian and Malay
    *("dada", "paru", "paru-paru"),
)
_WITHOUT_DECOMPOSITION = str.maketrans("łđøıß", "ldois")


def _folded(text: str) -> str:
    """Take away case, accents and forms of width."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(mark for mark in apart if unicodedata.category(mark) != "Mn")
    return unicodedata.normalize("NFC", bare).translate(_WITHOUT_DECOMPOSITION)


_CHEST = re.compile(
    "|".join(
        (
            *(re.escape(_folded(part)) for part in _PARTS_OF_WORDS),
            *(rf"\b{re.escape(_folded(word))}\b" for word in _WHOLE_WORDS),
        )
    )
)


def names_chest(header: Header, keyword: str) -> bool:
    """Whether a text element of a header names the chest or what is in it."""
    return any(
        _CHEST.search(_folded(_readable(header.dataset, text)).replace("_", " ")) is not None
        for text in header.written(keyword)[:1]
    )


def _readable(dataset: Dataset, text: str) -> str:
    """Decode a text by rule that pydicom took for Latin-1, as it does every code string."""
    try:
        stored = text.encode("latin-1")
    except UnicodeError:
        return text
    decoded = decode(stored, character_sets(dataset))
    return decoded.text if decoded else text
