"""Housekeeping: what is final and old goes, a little at a time; everything else stays."""

from dataclasses import replace

import pytest
from brixia_edge.runtime.node.configuration import NodeSection
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating import housekeeping
from brixia_edge.runtime.node.operating.housekeeping import Housekeeping, sweep_answers
from brixia_edge.runtime.node.signals import Signals
from brixia_edge.runtime.node.state.rows import IGNORED, AnswerObject, Received, Result

IMAGE = Received("1.2.3", "ab", "1.2.840", "1.2", 5, "XR1", "1.9", "", "", "a.dcm")


def test_signs_of_life_are_given_between_batches_of_deletions(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(201):
        image = replace(IMAGE, sop_instance_uid=f"1.2.{number}", spool=f"{number}.dcm")
        data.store.inbox.add(image, IGNORED, "no radiograph")
    left: list[int] = []
    signals = Signals(())

    def sign(_: str) -> None:
        left.append(len(data.store.inbox.spooled()))
        if not left[-1]:
            signals.stop.set()

    monkeypatch.setattr(housekeeping, "notify", sign)
    monkeypatch.setattr(housekeeping, "watchdog_seconds", lambda: 0.001)
    Housekeeping(NodeSection(retention=0), data, signals).run()
    assert left == [201, 101, 1, 0]


def test_answers_that_no_row_knows_are_swept(data: DataFolder) -> None:
    data.store.inbox.add(IMAGE)
    instance = data.store.inbox.next_to_score("newest")
    assert instance is not None
    known = AnswerObject("sr", "2.25.1", "1.2.840.88", "known.dcm", "cd")
    data.store.inbox.finish(instance.id, Result("digest", "{}"), [known], ())
    for name in ("known.dcm", "left.dcm"):
        data.objects.write(name, b"an answer")
    assert sweep_answers(data) == 1
    assert data.objects.names() == {"known.dcm"}
