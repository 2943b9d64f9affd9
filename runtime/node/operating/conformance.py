"""The DICOM conformance statement (PS3.2 Annex N), made of the tables that the code works by."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version

from pydicom.uid import UID

from ...results import RESEARCH_USE
from ..configuration import NodeSection
from ..receiving.admission import CALLED_AE_TITLE, CALLING_AE_TITLE, CONGESTION, LOCAL_LIMIT
from ..receiving.contexts import (
    CHEST_CLASSES,
    STORAGE_COMMITMENT,
    TRANSFER_SYNTAXES,
    VERIFICATION,
)
from ..receiving.server import LARGEST_PDU, SECONDS_BETWEEN_PDUS, SECONDS_OF_A_PDU
from ..receiving.storage import CANNOT_UNDERSTAND, DOES_NOT_MATCH, OUT_OF_RESOURCES, SUCCESS
from ..sending.dimse import SYNTAXES
from ..sending.outcome import FIRST_PAUSE, LONGEST_PAUSE

_ANSWERS = {
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR Storage (TID 1500)",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image Storage",
}
_STATUSES: Mapping[int, str] = {
    SUCCESS: "file, folder and database are on the disk; also for an image that is there already",
    OUT_OF_RESOURCES: "the disk is full or the database cannot be written; try again",
    DOES_NOT_MATCH: "SOP class or instance UID differ between the request and the object",
    CANNOT_UNDERSTAND: "the object cannot be parsed, or has no valid UIDs",
}
_REJECTIONS: Mapping[tuple[int, int, int], str] = {
    CALLING_AE_TITLE: "the calling AE title, or its host, is none of the configured sources",
    CALLED_AE_TITLE: "the called AE title is not ours",
    LOCAL_LIMIT: "too many associations, in all or from one host",
    CONGESTION: "less disk is free than the reserve; Verification alone is accepted all the same",
}


def conformance_statement() -> str:
    """The whole statement as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    defaults = NodeSection()
    yield "# DICOM conformance statement of the brixia-edge node"
    yield ""
    yield f"**{RESEARCH_USE}**"
    yield ""
    yield (
        f"brixia-edge {version('brixia-edge')}. The outline is that of PS3.2 Annex N; this page is "
        "made by `brixia-edge node conformance` of the tables that the code works by."
    )
    yield from _section("N.1 Overview")
    yield "| service | as SCU | as SCP |"
    yield "|---|---|---|"
    yield "| Verification | yes | yes |"
    yield "| Storage | yes: answers | yes: radiographs |"
    yield "| Storage Commitment Push Model | yes, where a destination has `commit = true` | no |"
    yield "| STOW-RS | yes: answers | no |"
    yield from _section("N.4.1 Storage SCP")
    yield "| SOP class | UID |"
    yield "|---|---|"
    yield f"| Verification | {VERIFICATION} |"
    for uid, name in CHEST_CLASSES.items():
        yield f"| {name} | {uid} |"
    yield ""
    yield (
        'With `accept = "all"` every other storage class is taken, too, and kept unscored. Objects '
        "are stored byte for byte as received."
    )
    yield ""
    yield "| transfer syntax | UID |"
    yield "|---|---|"
    for uid in TRANSFER_SYNTAXES:
        yield f"| {UID(uid).name} | {uid} |"
    yield ""
    yield "| status | meaning |"
    yield "|---|---|"
    for status, meaning in _STATUSES.items():
        yield f"| {status:04X} | {meaning} |"
    yield ""
    yield "| rejection: result / source / reason | when |"
    yield "|---|---|"
    for (result, source, reason), when in _REJECTIONS.items():
        yield f"| {result} / {source} / {reason} | {when} |"
    yield from _section("N.4.2 Storage SCU")
    yield "| SOP class | UID | transfer syntaxes |"
    yield "|---|---|---|"
    for uid, name in _ANSWERS.items():
        yield f"| {name} | {uid} | {', '.join(UID(each).name for each in SYNTAXES)} |"
    yield ""
    yield (
        "Warnings (B000 to BFFF) and duplicates (0111) count as stored. A7xx, 0110, 0213, no "
        f"answer, no association: tried again after {FIRST_PAUSE:.0f} s, doubled up to "
        f"{LONGEST_PAUSE / 60:.0f} min, for ever. Any other status parks the answer until "
        "`brixia-edge node retry`."
    )
    yield from _section("N.4.3 Storage Commitment SCU")
    yield (
        f"SOP class {STORAGE_COMMITMENT}. The N-EVENT-REPORT is taken on the association of the "
        "N-ACTION and on a new one that the archive opens to our port."
    )
    yield from _section("N.5 Network and security")
    yield f"- Largest PDU: {LARGEST_PDU // 2} bytes proposed, {LARGEST_PDU} taken."
    yield f"- A whole PDU, and the request for an association: within {SECONDS_OF_A_PDU:.0f} s."
    yield f"- An association over which nothing comes is ended after {SECONDS_BETWEEN_PDUS:.0f} s."
    yield (
        f"- Associations: {defaults.associations} at a time, "
        f"{defaults.associations_of_a_host} from one host, unless configured otherwise."
    )
    yield f"- Largest image: {defaults.largest // 10**6} MB, unless configured otherwise."
    yield "- TLS 1.2 and later, with client certificates where `client_ca` is given (PS3.15 B.12)."
    yield from _section("N.6 Character sets")
    yield (
        "Patient and study of an answer are those of the image. Text that is not ASCII is written "
        "in UTF-8 (ISO_IR 192)."
    )


def _section(title: str) -> Iterator[str]:
    yield from ("", f"## {title}", "")
