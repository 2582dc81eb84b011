"""The periodic table: which elements are fitted and which are quantified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, partial

from PyQt6.QtCore import QPoint, QRect, QRectF, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from endmember.ui.pages.map.element_cell import ElementCell, State, elements, paint_cell
from endmember.ui.widgets.dialog import Dialog, Standard, name
from endmember.ui.widgets.theme import THEME, colours

CYCLE: dict[State, State] = {"off": "quantified", "quantified": "fitted", "fitted": "off"}
COLUMNS, ROWS = 18, 9
GAP = 0.45  # between the table and the rows of lanthanides and actinides, in rows
TYPING_ms = 1200  # letters that follow each other faster make one symbol
AT_A_TIME = 4  # elements whose lines are looked up between two events
_NOBLE = (2, 10, 18, 36, 54, 86)
_SERIES = {(6, 2): "La-Lu", (7, 2): "Ac-Cf"}


def place(number: int) -> tuple[int, int]:
    """Row (1 to 7, lanthanides 8, actinides 9) and column (0 to 17) of an atomic number."""
    if 57 <= number <= 71:
        return 8, number - 57 + 2
    if 89 <= number <= 103:
        return 9, number - 89 + 2
    row = 1 + sum(number > noble for noble in _NOBLE)
    behind = number - (0, *_NOBLE)[row - 1]  # 1 for the alkali metal
    if behind <= (1 if row == 1 else 2):
        return row, behind - 1
    return row, COLUMNS - 1 - ((*_NOBLE, 118)[row - 1] - number)


@cache
def main_lines(symbol: str, beam_energy_keV: float) -> tuple[tuple[str, float], ...]:
    """Family and energy in keV of the alpha lines of an element; empty if nothing is known."""
    from endmember.core.xrays.lines import FAMILIES, alpha_energy_keV

    found = []
    for family in FAMILIES:
        try:
            found.append((family, alpha_energy_keV(symbol, family, beam_energy_keV)))
        except ValueError:  # no such line, or a beam energy outside the table
            continue
    return tuple(found)


class PeriodicTable(QWidget):
    """The elements from hydrogen to californium, each off, fitted or quantified.

    A click goes from off to quantified to fitted to off; a right click or Shift and click sets
    fitted. Arrows move between cells, Space is a click, letters jump to a symbol. `changed` gives
    the quantified and the fitted elements after a person changed them, ordered by atomic number.
    """

    changed = pyqtSignal(tuple, tuple)
    refused = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._beam_energy_keV: float | None = None
        self._range_keV: tuple[float, float] | None = None
        self._typed = ""
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_ms)
        self._typing.timeout.connect(self._forget_typed)
        self._cells = {
            symbol: ElementCell(symbol, number, name, self, self)
            for symbol, (number, name) in elements().items()
        }
        for cell in self._cells.values():
            cell.clicked.connect(partial(self._cycle, cell))
        self._by_place = {place(cell.number): cell for cell in self._cells.values()}
        self._current = self._cells["H"]
        self._current.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self._current)
        self._to_judge: list[ElementCell] = []
        self._judging = QTimer(self)
        self._judging.timeout.connect(self._judge_some)
        self.setAccessibleName("Periodic table")
        self.setMinimumSize(COLUMNS * 25, 250)
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """The size at which symbols and numbers read well."""
        return QSize(558, 328)

    def states(self) -> dict[str, State]:
        """The state of every element by its symbol."""
        return {symbol: cell.state for symbol, cell in self._cells.items()}

    def quantified(self) -> tuple[str, ...]:
        """The quantified elements by atomic number."""
        return self._in("quantified")

    def fitted(self) -> tuple[str, ...]:
        """The system elements, fitted and never quantified, by atomic number."""
        return self._in("fitted")

    def _in(self, state: State) -> tuple[str, ...]:
        return tuple(symbol for symbol, cell in self._cells.items() if cell.state == state)

    def set_states(
        self, quantified: Iterable[str], fitted: Iterable[str], absent: Sequence[str] = ()
    ) -> None:
        """Set all states, without `changed`; all others are off.

        `absent` elements scale the subtraction of a precipitate: they are marked and stay
        quantified.

        Raises
        ------
        ValueError
            if a symbol is not in the table.
        """
        wanted: dict[str, State] = dict.fromkeys(fitted, "fitted")
        wanted |= dict.fromkeys((*quantified, *absent), "quantified")
        for symbol in wanted:
            if symbol not in self._cells:
                raise ValueError(
                    f"'{symbol}' is not in the periodic table up to californium: "
                    "give a chemical symbol such as Mg"
                )
        for symbol, cell in self._cells.items():
            cell.state = wanted.get(symbol, "off")
            cell.absent = symbol in absent
            cell.say()

    def set_state(self, symbol: str, state: State) -> None:
        """Set one element as a person does, with `changed`, or with `refused` and a sentence."""
        cell = self._cells[symbol]
        if cell.absent and state != "quantified":
            self.refused.emit(
                f"{symbol} is the absent element of a precipitate and must stay quantified: "
                "choose another absent element first"
            )
        elif cell.state != state:
            cell.state = state
            cell.say()
            self.changed.emit(self.quantified(), self.fitted())

    def _cycle(self, cell: ElementCell) -> None:
        self.set_state(cell.symbol, CYCLE[cell.state])

    def set_beam_energy(self, keV: float | None) -> None:  # noqa: N803 - a unit as it is read
        """The beam energy, from which lines are known; None where it is not known."""
        self._beam_energy_keV = keV
        self._judge_all()

    def set_energy_range(self, low: float, high: float) -> None:
        """The range in keV: elements with no alpha line in it look faint, and can be chosen."""
        self._range_keV = (low, high)
        self._judge_all()

    def tip(self, symbol: str) -> str:
        """Name, number, main lines in keV and state of an element."""
        cell = self._cells[symbol]
        lines = [f"{cell.name.capitalize()} ({symbol}), Z = {cell.number}"]
        if self._beam_energy_keV is not None:
            known = main_lines(symbol, self._beam_energy_keV)
            told = ", ".join(f"{family}α {energy:.3f}" for family, energy in known)
            lines.append(f"{told} keV" if told else "No lines are known")
        if cell.faint:
            lines.append("No line in the energy range")
        if cell.absent:
            lines.append("Absent element of a precipitate: stays quantified")
        lines.append(f"{cell.state.capitalize()}; a click makes it {CYCLE[cell.state]}")
        return "\n".join(lines)

    def _judge_all(self) -> None:
        """Find the faint elements a few at a time, so that the window never waits."""
        self._to_judge = list(self._cells.values())
        self._judging.start()

    def _judge_some(self) -> None:
        now, self._to_judge = self._to_judge[:AT_A_TIME], self._to_judge[AT_A_TIME:]
        for cell in now:
            faint = not self._has_line(cell.symbol)
            if faint != cell.faint:
                cell.faint = faint
                cell.say()
        if not self._to_judge:
            self._judging.stop()

    def _has_line(self, symbol: str) -> bool:
        if self._beam_energy_keV is None or self._range_keV is None:
            return True
        low, high = self._range_keV
        return any(low <= energy <= high for _, energy in main_lines(symbol, self._beam_energy_keV))

    def current(self) -> str:
        """The symbol of the cell that has the focus, or had it last."""
        return self._current.symbol

    def go_to(self, symbol: str) -> None:
        """Give the focus to the cell of an element."""
        self._cells[symbol].setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_is_on(self, cell: ElementCell) -> None:
        """Tab reaches the table once: the cell that had the focus last keeps the tab stop."""
        self._current.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._current = cell
        cell.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(cell)

    def take_key(self, cell: ElementCell, event: QKeyEvent) -> bool:
        """Arrows, letters and Shift+Space in a cell; whether it was one of them."""
        key, modifiers = event.key(), event.modifiers()
        if (step := _STEPS.get(key)) is not None:
            self._forget_typed()
            if (there := self._neighbour(cell, *step)) is not None:
                there.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        if key == Qt.Key.Key_Space and modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.set_state(cell.symbol, "fitted")
            return True
        plain = not modifiers & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if plain and len(event.text()) == 1 and event.text().isalpha():
            self._jump(event.text())
            return True
        return False

    def _neighbour(self, cell: ElementCell, down: int, right: int) -> ElementCell | None:
        """The next cell in a direction, over gaps; None at the edge."""
        row, column = place(cell.number)
        while 1 <= row + down <= ROWS and 0 <= column + right < COLUMNS:
            row, column = row + down, column + right
            if (found := self._by_place.get((row, column))) is not None:
                return found
        return None

    def _jump(self, letter: str) -> None:
        for text in (self._typed + letter, letter):
            if (found := _first_with(self._cells, text)) is not None:
                self._typed = text
                self._typing.start()
                self.go_to(found)
                return
        self._forget_typed()

    def _forget_typed(self) -> None:
        self._typed = ""
        self._typing.stop()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Lay the cells out on whole pixels."""
        for where, cell in self._by_place.items():
            cell.setGeometry(self._rectangle(*where))

    def _rectangle(self, row: int, column: int) -> QRect:
        def down(boundary: int) -> int:
            shift = GAP if boundary > 7 else 0.0
            return round((boundary - 1 + shift) * self.height() / (ROWS + GAP))

        left, right = (round(c * self.width() / COLUMNS) for c in (column, column + 1))
        top = down(row)
        height = round((row + (GAP if row > 7 else 0.0)) * self.height() / (ROWS + GAP)) - top
        return QRect(QPoint(left, top), QSize(right - left, height))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Say in the gaps of the table where the two series below belong."""
        painter = QPainter(self)
        font = QFont(self.font())
        for (row, column), text in _SERIES.items():
            area = self._rectangle(row, column)
            font.setPixelSize(max(round(area.height() * 0.27), 8))
            painter.setFont(font)
            painter.setPen(QColor(colours().muted))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


_STEPS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


def _first_with(symbols: Iterable[str], text: str) -> str | None:
    """The symbol that is the text, or else the first that begins with it; case does not matter."""
    wanted = text.capitalize()
    beginning = [symbol for symbol in symbols if symbol.startswith(wanted)]
    return wanted if wanted in beginning else next(iter(beginning), None)


class PeriodicTableDialog(Dialog):
    """The periodic table with a line to type elements in, and a legend.

    The line always holds the quantified elements: typing in it sets them, a click in the table
    writes them anew. `applied` gives the quantified and the fitted elements at Apply and OK.
    """

    applied = pyqtSignal(tuple, tuple)

    def __init__(
        self,
        parent: QWidget | None = None,
        quantified: Iterable[str] = (),
        fitted: Iterable[str] = (),
        absent: Sequence[str] = (),
    ) -> None:
        super().__init__(parent, "Elements")
        self._absent = tuple(absent)
        self.table = PeriodicTable()
        self.table.set_states(quantified, fitted, absent)
        self._applied = (self.table.quantified(), self.table.fitted())
        self._fitted_before = self.table.fitted()
        self.line = QLineEdit(", ".join(self.table.quantified()))
        self.line.setPlaceholderText("for instance Fe, O, Nd")
        self.line.setClearButtonEnabled(True)
        name(self.line, "Symbols of the elements to quantify, with commas", "Quantified elements")
        label = QLabel("&Quantified:")
        label.setBuddy(self.line)
        self.says = QLabel()
        self.says.setWordWrap(True)
        self.says.setProperty("role", "error")
        box = self.box(Standard.Ok, Standard.Cancel, Standard.Apply)
        self.ok, self.apply_button = box.button(Standard.Ok), box.button(Standard.Apply)
        top = QHBoxLayout()
        top.addWidget(label)
        top.addWidget(self.line, 1)
        whole = QVBoxLayout(self)
        whole.addLayout(top)
        whole.addWidget(self.says)
        whole.addWidget(self.table, 1)
        whole.addWidget(Legend())
        whole.addWidget(box)
        self.line.textEdited.connect(self._typed)
        self.table.changed.connect(self._clicked)
        self.table.refused.connect(self.says.setText)
        if self.apply_button is not None:
            self.apply_button.clicked.connect(self.apply)
        self._judge()
        self.line.setFocus()

    def apply(self) -> None:
        """Give the states to the window."""
        self._applied = (self.table.quantified(), self.table.fitted())
        self.applied.emit(*self._applied)
        self._judge()

    def accept(self) -> None:
        """Apply and close."""
        if self._applied != (self.table.quantified(), self.table.fitted()):
            self.apply()
        super().accept()

    def _clicked(self, quantified: tuple[str, ...], fitted: tuple[str, ...]) -> None:
        self._fitted_before = fitted
        self.line.setText(", ".join(quantified))
        self.says.clear()
        self._judge()

    def _typed(self, text: str) -> None:
        symbols = [word.capitalize() for word in re.split(r"[\s,;]+", text) if word]
        unknown = [symbol for symbol in symbols if symbol not in elements()]
        known = [symbol for symbol in symbols if symbol in elements()]
        fitted = [symbol for symbol in self._fitted_before if symbol not in known]
        self.table.set_states(known, fitted, self._absent)
        left_out = [symbol for symbol in self._absent if symbol not in known]
        if unknown:
            says = f"'{unknown[0]}' is not an element: give chemical symbols such as Mg."
        elif left_out:
            says = f"{left_out[0]} stays: it is the absent element of a precipitate."
        else:
            says = ""
        self.says.setText(says)
        self._judge(not unknown)

    def _judge(self, fit: bool = True) -> None:
        changed = self._applied != (self.table.quantified(), self.table.fitted())
        if self.ok is not None:
            self.ok.setEnabled(fit)
        if self.apply_button is not None:
            self.apply_button.setEnabled(fit and changed)


class Legend(QWidget):
    """What the looks of the cells mean."""

    SAMPLES: tuple[tuple[State, bool, bool, str], ...] = (
        ("quantified", False, False, "quantified"),
        ("fitted", False, False, "fitted only"),
        ("off", False, False, "off"),
        ("off", False, True, "no line in range"),
        ("quantified", True, False, "absent in a precipitate"),
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Legend of the periodic table")
        self.setToolTip("Click: next state. Right click or Shift+click: fitted only.")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for state, absent, faint, text in self.SAMPLES:
            row.addWidget(_Sample(state, absent, faint))
            row.addWidget(QLabel(text))
            row.addSpacing(6)
        row.addStretch()
        THEME.changed.connect(self.update)


class _Sample(QWidget):
    """A small cell without an element."""

    def __init__(self, state: State, absent: bool, faint: bool) -> None:
        super().__init__()
        self._look = (state, absent, faint)
        self.setFixedSize(24, 24)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        paint_cell(painter, QRectF(self.rect()), *self._look, symbol="X")
