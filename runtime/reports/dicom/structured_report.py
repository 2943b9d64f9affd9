"""The score as a DICOM structured report: Comprehensive 3D SR (PS3.3 A.35.13).

It is marked UNVERIFIED and PRELIMINARY: no person has seen it. Importing this module needs
highdicom, of the extra ``report``.
"""

from pathlib import Path

from pydicom.dataset import Dataset

from ...authorship import SERIES_DESCRIPTION, SOFTWARE, software_version
from ...errors import MissingExtra, pip_line
from ...reading.dicom.header import silence
from ..material import Material
from .result import derived_uid, plain_text, report_series_uid, save_dicom, sign
from .source import read_source
from .structured_report_codes import SCHEME, SCHEME_NAME
from .values import long_string

try:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from highdicom.sr import Comprehensive3DSR, ContentSequence

    from .previous_report_content import as_evidence
    from .structured_report_content import measurement_report
except ModuleNotFoundError as error:
    raise MissingExtra.of("a structured report", "highdicom", pip_line("report")) from error

SERIES_NUMBER = 9901
"""Far from those of modalities. The series is found by its UID; the number only sorts it."""


def write_structured_report(material: Material, path: Path) -> tuple[str, ...]:
    """Save a result as a structured report; `output_names` has names that tell nothing.

    Parameters
    ----------
    material
        The result to report. Its file is read again.
    path
        Where to save it, in a folder that exists.

    Returns
    -------
    tuple[str, ...]
        What of patient and study is not as it was in the file; see `source.Source`.

    Raises
    ------
    UnsupportedImage, UnreadableImage
        See `source.read_source`.
    OSError
        The file cannot be written.
    """
    save_dicom(structured_report(material), path)
    return material.part(read_source).remarks


def structured_report(material: Material) -> Dataset:
    """Make a structured report, in a series of its own in the image's study.

    Its UIDs are those of any other time that it is made.

    Parameters
    ----------
    material
        The result to report. Its file is read again.

    Raises
    ------
    UnsupportedImage, UnreadableImage
        See `source.read_source`.
    """
    result, source, prior = material.result, material.part(read_source), material.prior
    uid = source.dataset.SOPInstanceUID
    # highdicom warns of names and quotes them.
    with silence():
        content = measurement_report(result, source, prior)[0]
        # It would copy and read through the whole tree, which takes longer than to make it.
        tree, content.ContentSequence = content.ContentSequence, ContentSequence()
        report = Comprehensive3DSR(
            evidence=[source.dataset, *([] if prior is None else [as_evidence(prior)])],
            content=content,
            series_instance_uid=report_series_uid(result.settings.bundle, uid),
            series_number=SERIES_NUMBER,
            series_description=SERIES_DESCRIPTION,
            sop_instance_uid=derived_uid(result, uid, "SR"),
            instance_number=1,
            manufacturer=SOFTWARE,
            manufacturer_model_name=SOFTWARE,
            device_serial_number=long_string(plain_text(result.model.sha256)).value or "unknown",
            software_versions=software_version(),
            coding_schemes=[CodingSchemeIdentificationItem(SCHEME, SCHEME_NAME)],
            is_complete=True,
            is_final=False,
            is_verified=False,
        )
    report.ContentSequence = tree
    sign(report)
    return report
