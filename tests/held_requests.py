"""Live requests that are answered when a test says so, as a slow thread would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from endmember.session.decisions.recipe import Box, changed
from endmember.session.state.session import failure_of
from endmember.session.steps.map_data import MapData
from endmember.ui.document.runner import Runner
from endmember.ui.document.workspace import Workspace


class Held:
    """Stands in for a runner: keeps each request with its slot until it is answered."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Callable[[], Any], Callable[[Any], None]]] = []

    def ask(self, slot: str, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self.requests.append((slot, work, then))

    def of(self, slot: str) -> int:
        """How many requests of a slot wait."""
        return sum(name == slot for name, _, _ in self.requests)

    def answer(self, slot: str = "", newest_first: bool = False) -> None:
        """Do the work of a slot, or of all, and hand it over."""
        chosen = [request for request in self.requests if slot in ("", request[0])]
        self.requests = [request for request in self.requests if request not in chosen]
        for _, work, then in reversed(chosen) if newest_first else chosen:
            try:
                value = work()
            except ValueError as error:
                value = failure_of(error)
            then(value)

    @property
    def runner(self) -> Runner:
        return cast(Runner, self)


def held(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Held:
    """From now on no step is run, and live requests wait."""
    made = Held()
    workspace.runner.close()
    monkeypatch.setattr(workspace.runner, "ask", made.ask)
    return made


def read_elsewhere(workspace: Workspace, crop: Box, part: Box | None = None) -> MapData:
    """The map looked at is cropped and read anew; what follows from that is not there yet.

    `part` is what the new map holds of the old one, without one the same pixels, as if they had
    been found at the new place.
    """
    session, old = workspace.session, workspace.data
    assert session is not None
    assert old is not None
    maps = tuple(
        changed(entry, crop=crop) if entry.name == old.entry.name else entry
        for entry in session.recipe.maps
    )
    workspace.blockSignals(True)  # views see it with the map that is read then
    workspace.session_change(changed(session.recipe, maps=maps))
    workspace.blockSignals(False)
    image = old.image if part is None else old.image.crop(*part)
    data = replace(old, entry=changed(old.entry, crop=crop), image=image)
    session.accept(session.key("read", old.entry.name), data)
    workspace.results_changed.emit()
    return data
