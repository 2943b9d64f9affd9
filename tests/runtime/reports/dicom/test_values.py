"""Values of a foreign header: copied exactly, repaired beyond doubt, or left out."""

from collections.abc import Callable

import pytest
from brixia_edge.runtime.reports.dicom.values import (
    CHECKS,
    Taken,
    date,
    description,
    long_string,
    person_name,
    sex,
    short_string,
    time,
)


@pytest.mark.parametrize(
    ("check", "text", "expected"),
    [
        (short_string, "A" * 16, "A" * 16),
        (short_string, "A" * 17, ""),
        (long_string, "é" * 64, "é" * 64),
        (long_string, "é" * 65, ""),
        (long_string, "1\\2", ""),
        (long_string, "1\n2", ""),
        (long_string, "12\r\n", "12"),
        (description, "CHEST\r\nAP", "CHEST AP"),
        (description, "é" * 65, "é" * 64),
        (description, "A\\B", ""),
        (description, "A\x1bB", ""),
        (long_string, "\u3000山田", "\u3000山田"),
        (
            person_name,
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (person_name, "A^B^C^D^E", "A^B^C^D^E"),
        (person_name, "A^B^C^D^E^F", ""),
        (person_name, "A=B=C=D", "A"),
        (person_name, "A^B=C^D^E^F^G^H", "A^B"),
        (person_name, "A^B=\x1b$)A", "A^B"),
        (person_name, "=B", "=B"),
        (person_name, "=B=" + "C" * 65, ""),
        (person_name, "A\tB^C\r\n", "A B^C"),
        (person_name, "A\x07^B", ""),
        (person_name, "N" * 64 + "=" + "N" * 64, "N" * 64 + "=" + "N" * 64),
        (person_name, "N" * 65, ""),
        (date, "20200229", "20200229"),
        (date, "20210229", ""),
        (date, "2020.02.29", "20200229"),
        (date, "2020-02-29", "20200229"),
        (date, "2020.02-29", ""),
        (date, "02/29/2020", ""),
        (date, "2020", ""),
        (date, "\uff12020\uff100229", ""),
        (time, "10", "10"),
        (time, "1030", "1030"),
        (time, "103015.123456", "103015.123456"),
        (time, "103015.1234567", ""),
        (time, "10:30:15", "103015"),
        (time, "10:30:15.5", "103015.5"),
        (time, "10:30", "1030"),
        (time, "2460", ""),
        (time, "10.5", ""),
        (sex, "m", "M"),
        (sex, "FEMALE", ""),
    ],
)
def test_a_value_is_copied_repaired_or_left_out(
    check: Callable[[str], Taken], text: str, expected: str
) -> None:
    assert check(text).value == expected


@pytest.mark.parametrize("check", [*CHECKS.values(), short_string])
def test_nothing_is_told_of_an_element_that_is_empty(check: Callable[[str], Taken]) -> None:
    assert check("") == Taken("")


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (short_string, "SECRET-17"),
        (person_name, "SECRET^PERSON=S=T"),
        (date, "2020.02.29"),
        (time, "10:30"),
        (sex, "f"),
        (description, "CHEST  AP"),
    ],
)
def test_nothing_is_told_where_the_meaning_is_whole(
    check: Callable[[str], Taken], text: str
) -> None:
    assert check(text).remarks == ()
