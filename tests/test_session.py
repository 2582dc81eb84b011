"""The session: which results are current, what is due, and the way back."""

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from endmember.core.progress import Cancelled, Report
from endmember.session.decisions.recipe import (
    Decomposition,
    MapInput,
    Precipitate,
    PrecipitateRectangle,
    Recipe,
    Sample,
    changed,
)
from endmember.session.state.session import Failure, Job, Session, attempt, run_all
from endmember.session.state.steptable import (
    GroupStep,
    Maps,
    MapStep,
    Settings,
    StepTable,
    all_maps,
    joint_maps,
)

Boxes = tuple[tuple[int, int, int, int], ...]


def of_map(recipe: Recipe, entry: MapInput) -> Settings:  # noqa: ARG001
    return (entry.file, entry.crop)


def of_decomposition(recipe: Recipe, entries: tuple[MapInput, ...]) -> Settings:  # noqa: ARG001
    return (recipe.decomposition.components,)


def of_boxes(recipe: Recipe, entry: MapInput) -> Settings:
    return (recipe.precipitates[0].boxes_on(entry.name),)


def of_elements(recipe: Recipe, entries: tuple[MapInput, ...]) -> Settings:  # noqa: ARG001
    return (recipe.sample.elements,)


def read(report: Report, file: str, crop: object) -> tuple[Any, ...]:
    report(0.5)
    if file == "missing":
        raise ValueError("the file is missing; check its name")
    return ("image", file, crop)


def decompose(report: Report, components: int, images: dict[str, Any]) -> tuple[Any, ...]:
    report(0.5)
    if components > 8:
        raise RuntimeError("bug")
    return ("components", components, tuple(images.items()))


def outline(report: Report, boxes: Boxes, image: Any) -> tuple[Any, ...]:
    report(0.5)
    if any(box[2] == 0 for box in boxes):
        raise ValueError("the rectangle is empty; draw a larger one")
    return ("outline", boxes, image)


def masks(report: Report, outlines: Any, components: Any) -> tuple[Any, ...]:
    report(0.5)
    return ("masks", outlines, components)


def quantify(report: Report, elements: tuple[str, ...], masks: dict[str, Any]) -> tuple[Any, ...]:
    report(0.5)
    return ("table", elements, tuple(masks))


def no_settings(recipe: Recipe, entry: MapInput) -> Settings:  # noqa: ARG001
    return ()


TABLE = StepTable(
    [
        MapStep("read", of_map, (), read, kept=1),
        GroupStep("decomposition", of_decomposition, ("read",), decompose, joint_maps),
        MapStep("outline", of_boxes, ("read",), outline, kept=2),
        MapStep("masks", no_settings, ("outline", "decomposition"), masks),
        GroupStep("quantification", of_elements, ("masks",), quantify, all_maps),
    ]
)
EVERY_STEP = ["read", "decomposition", "outline", "masks", "quantification"]


def a_recipe(maps: tuple[str, ...] = ("a",), joint: bool = True) -> Recipe:
    return Recipe(
        format="endmember-recipe-1",
        maps=tuple(MapInput(file=f"{name}.bcf", name=name) for name in maps),
        decomposition=Decomposition(components=3, joint=joint),
        sample=Sample(matrix="Brg", elements=("O", "Si")),
        precipitates=(Precipitate(name="Fp", absent="Si"),),
    )


def with_box(recipe: Recipe, *box: int, on: str = "a") -> Recipe:
    rectangle = PrecipitateRectangle(map=on, box=(box[0], box[1], box[2], box[3]))
    precipitate = changed(recipe.precipitates[0], rectangles=(rectangle,))
    return changed(recipe, precipitates=(precipitate,))


def with_components(recipe: Recipe, count: int) -> Recipe:
    return changed(recipe, decomposition=changed(recipe.decomposition, components=count))


def with_file(recipe: Recipe, index: int, file: str) -> Recipe:
    maps = list(recipe.maps)
    maps[index] = changed(maps[index], file=file)
    return changed(recipe, maps=tuple(maps))


def due_steps(session: Session) -> list[tuple[str, Maps]]:
    return [(job.step, job.maps) for job in session.due()]


def steps_run(session: Session) -> list[tuple[str, Maps]]:
    return [(record.name, record.maps) for record in run_all(session)]


def test_every_step_runs_once_after_what_it_needs() -> None:
    session = Session(TABLE, a_recipe())
    assert [name for name, _ in steps_run(session)] == EVERY_STEP
    image = ("image", "a.bcf", None)
    components = ("components", 3, (("a", image),))
    assert session.result("masks", "a") == ("masks", ("outline", (), image), components)
    assert session.result("quantification") == ("table", ("O", "Si"), ("a",))
    assert session.due() == []


def test_maps_decomposed_together_share_one_result() -> None:
    session = Session(TABLE, a_recipe(("a", "b")))
    assert Counter(name for name, _ in steps_run(session)) == {
        "read": 2,
        "decomposition": 1,
        "outline": 2,
        "masks": 2,
        "quantification": 1,
    }
    assert session.result("decomposition", "a") is session.result("decomposition", "b")
    assert session.result("decomposition") is session.result("decomposition", "a")
    assert session.result("masks", "b")[1][2] == ("image", "b.bcf", None)


def test_maps_decomposed_alone_have_results_of_their_own() -> None:
    session = Session(TABLE, a_recipe(("a", "b"), joint=False))
    run_all(session)
    assert session.result("decomposition", "b")[2] == (("b", ("image", "b.bcf", None)),)
    assert session.result("masks", "b")[2] is session.result("decomposition", "b")
    with pytest.raises(ValueError, match="name one of the maps"):
        session.result("decomposition")


def test_a_map_of_its_own_decomposition_does_not_wait_for_the_others() -> None:
    session = Session(TABLE, with_file(a_recipe(("a", "b"), joint=False), 0, "missing"))
    run_all(session, go_on=True)
    assert session.result("masks", "b") is not None
    assert session.result("masks", "a") is None
    assert session.result("quantification") is None


def test_undo_costs_nothing() -> None:
    session = Session(TABLE, a_recipe())
    run_all(session)
    before = session.result("quantification")
    session.change(with_components(session.recipe, 5))
    run_all(session)
    assert session.result("quantification") is not before
    held = len(session.results)
    session.undo()
    assert session.due() == []
    assert session.result("quantification") is before
    assert len(session.results) == held
    session.redo()
    assert session.recipe.decomposition.components == 5
    assert session.due() == []


def test_changing_the_components_keeps_the_rectangles_and_their_outlines() -> None:
    session = Session(TABLE, with_box(a_recipe(), 1, 2, 3, 4))
    run_all(session)
    outlined = session.result("outline", "a")
    session.change(with_components(session.recipe, 7))
    assert session.recipe.precipitates[0].boxes_on("a") == ((1, 2, 3, 4),)
    assert session.result("outline", "a") is outlined
    assert due_steps(session) == [("decomposition", ("a",))]
    assert session.result("masks", "a") is None


def test_a_rectangle_on_one_map_leaves_the_other_map_alone() -> None:
    session = Session(TABLE, a_recipe(("a", "b")))
    run_all(session)
    session.change(with_box(session.recipe, 1, 2, 3, 4, on="b"))
    assert steps_run(session) == [
        ("outline", ("b",)),
        ("masks", ("b",)),
        ("quantification", ("a", "b")),
    ]


def test_two_maps_that_ask_for_the_same_are_read_once() -> None:
    session = Session(TABLE, with_file(a_recipe(("a", "b")), 1, "a.bcf"))
    assert due_steps(session) == [("read", ("a",))]
    run_all(session)
    assert session.result("read", "a") is session.result("read", "b")


def test_a_failure_is_a_result_shown_once() -> None:
    session = Session(TABLE, with_box(a_recipe(), 0, 0, 0, 0))
    records = run_all(session, go_on=True)
    failure = Failure("the rectangle is empty; draw a larger one", expected=True)
    assert [r.name for r in records] == ["read", "decomposition", "outline"]
    assert session.result("outline", "a") == failure
    assert session.result("masks", "a") is None
    assert session.due() == []
    assert session.failures() == [("outline", ("a",), failure)]


def test_an_advice_that_fails_stops_no_run() -> None:
    def advise(report: Report, image: Any) -> Any:  # noqa: ARG001
        raise ZeroDivisionError("bug")

    first, *others = TABLE
    advice = MapStep("advice", no_settings, ("read",), advise, advice=True)
    session = Session(StepTable([first, advice, *others]), a_recipe())
    assert [r.name for r in run_all(session)] == ["read", "advice", *EVERY_STEP[1:]]
    assert [step for step, _, _ in session.failures()] == ["advice"]


def test_a_retry_makes_only_todays_failures_due_again() -> None:
    session = Session(TABLE, with_box(a_recipe(), 0, 0, 0, 0))
    run_all(session, go_on=True)
    values = {key for key, found in session.results.items() if not isinstance(found, Failure)}
    session.retry()
    assert set(session.results) == values
    assert due_steps(session) == [("outline", ("a",))]
    run_all(session, go_on=True)
    session.change(with_box(a_recipe(), 1, 1, 5, 5))
    kept = dict(session.results)
    session.retry()  # yesterday's failure is not wanted any more: it stays, for undo
    assert session.results == kept


def test_a_fault_of_the_program_is_told_from_bad_input() -> None:
    session = Session(TABLE, with_components(a_recipe(), 9))
    run_all(session)
    failure = session.result("decomposition")
    assert failure == Failure("bug", expected=False)
    assert "in decompose" in failure.traceback


def test_a_batch_stops_at_the_first_failure() -> None:
    session = Session(TABLE, with_file(a_recipe(("a", "b")), 0, "missing"))
    assert steps_run(session) == [("read", ("a",))]
    ((step, maps, failure),) = session.failures()
    assert (step, maps, failure.expected) == ("read", ("a",), True)


def test_a_late_result_nobody_wants_is_dropped() -> None:
    session = Session(TABLE, with_box(a_recipe(), 0, 0, 4, 4))
    session.accept(session.key("read", "a"), "the image")
    late = next(job for job in session.due() if job.step == "outline")
    session.change(with_box(session.recipe, 0, 0, 9, 9))
    value = attempt(late, lambda fraction: None)  # noqa: ARG005
    assert value == ("outline", ((0, 0, 4, 4),), "the image")
    assert session.accept(late.key, value) is False
    assert session.result("outline", "a") is None
    session.undo()
    assert session.accept(late.key, value) is True
    assert session.result("outline", "a") is value


def test_a_step_that_returns_nothing_is_a_mistake() -> None:
    session = Session(TABLE, a_recipe())
    with pytest.raises(ValueError, match='"read" returned nothing'):
        session.accept(session.key("read", "a"), None)


def test_one_drag_is_one_undo() -> None:
    start = a_recipe()
    session = Session(TABLE, start)
    for width in range(1, 31):
        session.change(with_box(start, 0, 0, width, width), same_gesture=width > 1)
    assert session.recipe.precipitates[0].boxes_on("a") == ((0, 0, 30, 30),)
    session.undo()
    assert session.recipe == start
    assert not session.can_undo
    session.redo()
    assert session.recipe.precipitates[0].boxes_on("a") == ((0, 0, 30, 30),)
    assert not session.can_redo


def test_two_drags_are_two_undos() -> None:
    start = a_recipe()
    session = Session(TABLE, start)
    for width in (1, 2, 3):
        session.change(with_box(start, 0, 0, width, 1), same_gesture=width > 1)
    for width in (4, 5, 6):
        session.change(with_box(start, 0, 0, width, 1), same_gesture=width > 4)
    session.undo()
    assert session.recipe == with_box(start, 0, 0, 3, 1)
    session.undo()
    assert session.recipe == start


def test_a_press_that_moves_nothing_does_not_join_the_gesture_before() -> None:
    start = a_recipe()
    session = Session(TABLE, start)
    first = with_box(start, 0, 0, 1, 1)
    session.change(first)
    session.change(first)
    session.change(with_box(start, 0, 0, 2, 2), same_gesture=True)
    session.undo()
    assert session.recipe == first


def test_a_drag_after_an_undo_can_be_undone() -> None:
    start = a_recipe()
    session = Session(TABLE, start)
    session.change(with_components(start, 4))
    session.undo()
    session.change(with_components(start, 5), same_gesture=True)
    assert session.can_undo
    session.undo()
    assert session.recipe == start


def test_a_change_that_changes_nothing_leaves_the_redo_list_alone() -> None:
    session = Session(TABLE, a_recipe())
    session.change(with_components(session.recipe, 4))
    session.undo()
    session.change(a_recipe())
    assert session.can_redo
    session.change(with_components(session.recipe, 6))
    assert not session.can_redo


def test_undo_and_redo_without_anything_to_do_do_nothing() -> None:
    session = Session(TABLE, a_recipe())
    session.undo()
    session.redo()
    assert session.recipe == a_recipe()


def test_only_the_last_unwanted_results_are_kept() -> None:
    session = Session(TABLE, a_recipe())
    for width in range(1, 7):
        session.change(with_box(session.recipe, 0, 0, width, width))
        run_all(session)
    outlines = [key for key in session.results if key.step == "outline"]
    assert [key.settings for key in outlines] == [(((0, 0, w, w),),) for w in (4, 5, 6)]
    for _ in range(2):
        session.undo()
        assert session.due() == []
    session.undo()
    assert ("outline", ("a",)) in due_steps(session)


def test_a_result_in_use_is_never_forgotten() -> None:
    session = Session(TABLE, a_recipe())
    run_all(session)
    image = session.result("read", "a")
    for count in range(1, 8):
        session.change(with_components(session.recipe, count))
        run_all(session)
    assert session.result("read", "a") is image


def test_progress_names_the_job_and_a_cancelled_run_ends() -> None:
    session = Session(TABLE, a_recipe())
    seen: list[tuple[str, float]] = []

    def report(job: Job, fraction: float) -> None:
        seen.append((job.step, fraction))
        if job.step == "outline":
            raise Cancelled

    with pytest.raises(Cancelled):
        run_all(session, report)
    assert seen == [("read", 0.5), ("decomposition", 0.5), ("outline", 0.5)]
    assert session.result("decomposition") is not None
    assert session.result("outline", "a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak memory")
def test_peak_memory_grows_by_what_a_step_holds() -> None:
    # In a process of its own, as the highest point of this one lies somewhere before.
    code = (
        "from endmember.session.state.memory import peak_memory_MB as peak\n"
        "before = peak(); block = bytearray(b'x') * 200_000_000; print(peak() - before)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 190 < float(ran.stdout) < 220


def test_a_table_refuses_steps_out_of_order_and_twice() -> None:
    with pytest.raises(ValueError, match='"masks" needs "outline"'):
        StepTable([MapStep("masks", no_settings, ("outline",), masks)])
    step = MapStep("read", of_map, (), read)
    with pytest.raises(ValueError, match="twice"):
        StepTable([step, step])


def test_a_map_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match='no map "z"'):
        Session(TABLE, a_recipe()).result("read", "z")


def test_the_session_needs_no_qt() -> None:
    code = (
        "import sys, endmember.session.state.session, endmember.session.decisions.recipe_file\n"
        "assert not [m for m in sys.modules if 'Qt' in m or m.startswith('pyqtgraph')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_renewed_step_is_due_with_all_that_needs_it_and_nothing_else() -> None:
    session = Session(TABLE, with_box(a_recipe(), 1, 2, 3, 4))
    run_all(session)
    outline = session.result("outline", "a")
    session.renew("masks")
    assert session.result("read", "a") is not None
    assert session.result("outline", "a") is outline
    assert session.result("masks", "a") is None
    assert session.result("quantification") is None
    run_all(session)
    assert session.result("quantification") is not None
