"""Reads mutated annotations and lists within limits and tells what came of them.

    python tests/fuzz_texts.py FIRST COUNT FOLDER

Mutations FIRST to FIRST + COUNT - 1 are read one after the other, in FOLDER, where the one at work
is kept as ``current``. Prints one JSON object.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from random import Random

from brixia_edge.calibration.annotations.annotations import AnnotationTable, read_annotations
from brixia_edge.calibration.annotations.forms import FORMS, Form, RowError
from brixia_edge.runtime.errors import AnnotationsError
from brixia_edge.runtime.reading.inputs import find_inputs
from brixia_edge.runtime.reading.text_encoding import as_utf8
from fuzz_loop import refused, run

_ZONES = "ABCDEF"
_PUBLIC = "filename,{},S-Global,{},J-Global".format(
    *(",".join(f"{reader}-{zone}" for zone in _ZONES) for reader in "SJ")
)
_CONSENSUS = "filename,{},{},S-Global,J-Global".format(
    *(",".join(f"{kind}{zone}" for zone in _ZONES) for kind in ("Mean", "Mode"))
)
_GENERIC = "filename,A,B,C,D,E,F,reader,patient,modality,projection,sex,age,consensus,global,note"

TABLES = (
    f"{_PUBLIC}\none.jpg,0,1,2,3,2,1,9,1,1,2,3,2,1,10\ntwo.jpg,0,0,0,0,0,0,0,,,,,,,\n"
    "three.jpg,3,3,3,3,3,3,18,3,3,3,3,3,2,17\n",
    "filename,Modality,BrixiaScore,BrixiaScoreGlobal,Subject,Sex,AgeAtStudyDateFiveYear\n"
    "one.dcm,CR,233101,10,p1,F,65\ntwo.dcm,DX,12,3,p2,M,40\nthree.dcm,CR,102030.0,6,p3,F,85\n",
    f"{_CONSENSUS}\none.dcm,0.2,1,1.8,2.4,3,0,0,1,2,2,3,0,8.4,8\n"
    "two.dcm,1,1,1,1,1,1,1,1,1,1,1,1,6,6\n",
    f'{_GENERIC}\none.png,0,1,2,3,2,1,Anna,p1,CR,AP,F,64,1,9,"seen, and\nseen ""again"""\n'
    "two.png,0,1,2,3,2,1,Bo,p1,CR,AP,F,64,1,9,\nthree.png,1,1,1,1,1,1,Anna,p2,DX,PA,M,17,0,6,x\n",
)
LISTS = ("chest one.png\ntwo.dcm\nRöntgen.dcm\nthree\n", "a.png\r\n\r\nb.dcm\r\n")

_ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
_PIECES = (
    *('"', '""', '"\n', ',"', '",', "'", ",", ";", "\t", "|", "sep=;\n", "sep=", '="1"', "=1+1"),
    *(
        "\n",
        "\r",
        "\r\n",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\0",
        "\x1b",
    ),
    *("0", "1", "3", "4", "-1", "2.0", "2,0", "1e999", "nan", "\uff11", "9" * 500, "9" * 140_000),
    *("filename", "A", "S-A", "BrixiaScore", "reader", " ", "\u00a0", "é", "\U0001f600", "\ud800"),
    *(
        ";;;;;;;;;;",
        ",,,,,,,,,,",
        "\n\n\n",
        "x" * 10_000,
        '"' * 2_001,
        "a\n" * 2_000,
        "," * 100_000,
    ),
)


def mutated(originals: Sequence[str], seed: int) -> bytes:
    """Give the mutation of a text, as bytes in some encoding, that `seed` stands for."""
    random = Random(seed)  # noqa: S311 - repeatable, which is all that is asked of it
    text = random.choice(originals)
    if random.random() < 0.3:
        text = text.replace(",", random.choice((";", "\t")))
    for _ in range(random.choice((0, 1, 1, 2, 2, 3, 5, 12))):
        text = random.choice(_CHANGES)(random, text)
    content = text.encode(random.choice(_ENCODINGS), "replace")
    for _ in range(random.choice((0, 0, 0, 1, 4))):
        place = random.randrange(len(content) + 1)
        content = content[:place] + random.randbytes(1) + content[place + random.choice((0, 1)) :]
    return content[: random.randrange(len(content) + 1)] if random.random() < 0.1 else content


def _insert(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(_PIECES) + text[place:]


def _at_an_edge(random: Random, text: str) -> str:
    """Where cells and rows begin and end, most rules begin and end, too."""
    edges = [found.start() for found in re.finditer(r"[,;\t\r\n]", text)]
    place = random.choice(edges or [0]) + random.choice((0, 1))
    return text[:place] + random.choice(_PIECES) + text[place:]


def _delete(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + text[place + random.choice((1, 1, 2, 20)) :]


def _cell(random: Random, text: str) -> str:
    cells = re.split(r"([,;\t\r\n])", text)
    cells[random.randrange(len(cells))] = random.choice(_PIECES)
    return "".join(cells)


def _lines(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    if random.random() < 0.5:
        random.shuffle(lines)
    return "".join(lines[: random.choice((1, 2, 3, 100))])


def _ends(random: Random, text: str) -> str:
    return text.replace("\n", random.choice(("\r\n", "\r", "\n\n", ",\n", '"\n')))


_CHANGES: tuple[Callable[[Random, str], str], ...] = (
    *(_insert, _at_an_edge, _at_an_edge, _delete, _cell, _cell, _lines, _ends),
)


def judge_table(content: bytes, path: Path) -> str:
    """Read annotations; gives what came of it, beginning with FAILED if that must not be."""
    path.write_bytes(content)
    try:
        table = read_annotations(path)
    except AnnotationsError as error:
        return refused(error)
    return f"FAILED: {wrong}" if (wrong := misread(table, content)) else "read"


def misread(table: AnnotationTable, content: bytes) -> str:
    """Say what was read otherwise than by plain eyes, or nothing.

    Plain eyes see lines and separators. A line that has a file's scores must not be lost, and where
    there are no quotes, no other line may give scores.
    """
    text = as_utf8(content).decode()
    plain = plain_rows(text)
    if plain is None:
        return ""
    # Quotes within a name, and ="name", are what plain eyes do not see.
    files = {each.file.replace('"', "") for each in table.annotations}
    told = " ".join(table.rejected).replace('"', "")
    for file in plain:
        names = {file, file.removeprefix("=")}
        # A name that is told shortened may be any.
        if not names & files and "..." not in told and not any(name in told for name in names):
            return f"the scores of {file[:80]!r} are lost"
    if '"' not in text and (more := files - plain.keys()):
        return f"the scores of {min(more)[:80]!r} are invented"
    return ""


def plain_rows(text: str) -> dict[str, None] | None:
    """The files that have scores in a line, or None where columns stand twice.

    The form is the first that the first line fits.
    """
    lines = [line.strip("\r") for line in text.split("\n" if "\n" in text else "\r")]
    lines = [line.replace('"', "") for line in lines if line.strip(" ,;\t")]
    if lines and re.fullmatch("sep=[,;\t|]", lines[0].strip(" ")):
        lines.pop(0)
    for separator in ",;\t|":
        header, *rows = [[cell.strip() for cell in line.split(separator)] for line in lines or [""]]
        form = next((form for form in FORMS if form.fits(header)), None)
        if form is not None:
            if len(set(filter(None, header))) < len(list(filter(None, header))):
                return None
            cells = (defaultdict(str, zip(header, row, strict=False)) for row in rows)
            return {row["filename"]: None for row in cells if _has_scores(form, header, row)}
    return {}


def _has_scores(form: Form, header: Sequence[str], row: Mapping[str, str]) -> bool:
    filled = defaultdict(str, {name: cell for name, cell in row.items() if cell})
    for reader in form.readers(form.named_readers(header), filled):
        try:
            form.reading(filled, reader)
        except RowError:
            continue
        return bool(filled["filename"])
    return False


def judge_list(content: bytes) -> str:
    """Take a list of files; gives what came of it."""
    # No slash: a list that names the root would have the whole machine searched.
    inputs = find_inputs(["-"], BytesIO(content.replace(b"/", b"_")))
    return "read" if inputs.files else "refused"


def judge(seed: int) -> str:
    """Read one mutation, of annotations or of a list."""
    if seed % 4:
        return judge_table(mutated(TABLES, seed), Path("current"))
    return judge_list(mutated(LISTS, seed))


if __name__ == "__main__":
    run(judge)
