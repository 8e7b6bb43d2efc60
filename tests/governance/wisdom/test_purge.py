"""After a change of the model, lessons it needs no more go out of use."""

from __future__ import annotations

from orchestration_kit.governance.wisdom import Wisdom


def test_lessons_are_tested_again_and_those_of_no_more_use_are_retired():
    wisdom = Wisdom()
    texts = ["needed", "learnt by now", "hard to tell", "breaks the test"]
    ids = [wisdom.add(text, approve=True, model="m-1").id for text in texts]
    wisdom.add("tested on it already", approve=True, model="m-2")
    wisdom.propose("nobody approved this", model="m-1")

    def retest(lesson):
        return {"needed": True, "learnt by now": False, "hard to tell": None}[lesson.text]

    report = wisdom.purge(model="m-2", retest=retest)
    assert dict(zip(report["id"], report["verdict"], strict=True)) == dict(
        zip(ids, ["kept", "retired", "unsure", "failed"], strict=True)
    )
    assert report["note"].tolist()[3] == "KeyError: 'breaks the test'"
    assert [wisdom.get(lesson).status for lesson in ids] == ["approved", "retired", "approved", "approved"]
    assert wisdom.get(ids[0]).model == "m-2"
    assert (wisdom.get(ids[1]).approved_by, wisdom.get(ids[1]).reason) == ("purge", "m-2 needs it no more")
    assert wisdom.search("learnt") == []
    assert wisdom.purge(model="m-2", retest=retest)["id"].tolist() == ids[2:]


def test_without_a_test_nothing_changes_and_the_frame_tells_what_there_is_to_do():
    wisdom = Wisdom()
    wisdom.add("needed", approve=True, model="m-1")
    report = wisdom.purge(model="m-2")
    assert report["verdict"].tolist() == ["untested"]
    assert wisdom.lessons()[0].status == "approved"
    assert {name: str(dtype) for name, dtype in report.dtypes.items()} == {
        "id": "Int64", "text": "string", "layer": "category", "step": "category", "model": "category", "use": "Int64", "success": "Int64", "verdict": "category", "note": "string",
    }  # fmt: skip
    assert Wisdom().purge(model="m-2").dtypes.astype(str).tolist() == report.dtypes.astype(str).tolist()
