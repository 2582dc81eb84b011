"""The list of compositions to choose from: phases, regions, sums, and all side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtGui import QIcon

from endmember.session.decisions.recipe import Recipe
from endmember.session.views.composition_view import entry_key, entry_title
from endmember.ui.document.workspace import Focus
from endmember.ui.pages.phases.phase_settings import phase_chip
from endmember.ui.widgets.inputs import ChoiceBox

if TYPE_CHECKING:
    from endmember.session.steps.compositions import Entry

COMPARE = "compare all phases"
OVER_MAPS = "compare the maps: "
_SAYS = "Which spectrum's composition is shown; the last show several side by side"


class EntryBox(ChoiceBox):
    """Entries by phase, source and map; what is chosen stays, or follows what is looked at."""

    def __init__(self) -> None:
        super().__init__(_SAYS, "composition shown")
        self.setMinimumContentsLength(8)
        self._keys: list[object] = []
        self._phases: tuple[str | None, ...] = ()
        self._followed: tuple[str, ...] = ()  # precipitate and map

    @property
    def compares(self) -> bool:
        """Whether several are to be shown side by side."""
        return isinstance(self.value, str)

    @property
    def compared_phase(self) -> str:
        """The phase whose maps and sum are to be shown side by side, empty for all phases."""
        value = self.value
        chosen = isinstance(value, str) and value != COMPARE
        return str(value).removeprefix(OVER_MAPS) if chosen else ""

    def show_entries(self, entries: Sequence[Entry], recipe: Recipe, focus: Focus) -> None:
        """Offer these entries; the precipitate looked at is chosen where that is another one."""
        keys: list[object] = [entry_key(entry) for entry in entries]
        choices: list[tuple[str, object]]
        choices = [(entry_title(e), key) for e, key in zip(entries, keys, strict=True)]
        phases = [name for name in recipe.phases if name and len(recipe.maps) > 1]
        several = [*(OVER_MAPS + name for name in phases), COMPARE]
        choices += [(text, text) for text in several]
        self.show_choices(choices, self._wanted(keys, several, focus))
        self._keys = keys
        self._phases = recipe.phases
        self.colour()
        self._say()

    def _wanted(self, keys: list[object], several: Sequence[str], focus: Focus) -> object:
        chosen = self.value
        if chosen not in (*keys, *several):
            renamed = chosen in self._keys and len(keys) == len(self._keys)
            chosen = keys[self._keys.index(chosen)] if renamed else next(iter(keys), COMPARE)
        wanted = (focus.precipitate, "mask", focus.map_name, "")
        if wanted[:3:2] == self._followed or wanted not in keys:
            return chosen
        self._followed = wanted[:3:2]
        same = isinstance(chosen, tuple) and chosen[:3:2] == self._followed
        return chosen if chosen in several or same else wanted

    def keep(self, focus: Focus) -> str:
        """Stay with what a person has chosen here; the precipitate that is then looked at."""
        self._say()
        key = self.value
        precipitate = focus.precipitate
        if isinstance(key, tuple) and key[0] in self._phases[1:]:
            precipitate = key[0]
        self._followed = (precipitate, focus.map_name)
        return precipitate

    def colour(self) -> None:
        """Put the colour of its phase beside each entry."""
        for index, key in enumerate(self._keys):
            phase = key[0] if isinstance(key, tuple) else ""
            known = phase in self._phases
            chip = QIcon(phase_chip(self._phases.index(phase))) if known else QIcon()
            self.setItemIcon(index, chip)

    def _say(self) -> None:
        self.setToolTip(f"{self.currentText()}\n{_SAYS}")  # a long name may be cut in the box
