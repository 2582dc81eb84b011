"""A part of a page's settings that can be folded away."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from endmember.ui.widgets.dialog import name


class Section(QWidget):
    """A heading with an arrow; a click, or Space, folds what is under it."""

    def __init__(self, title: str, *, opened: bool = True) -> None:
        super().__init__()
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        self.content = QWidget()
        self.layout_ = QVBoxLayout(self.content)
        self.layout_.setContentsMargins(8, 0, 0, 6)
        self.layout_.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(2)
        whole.addWidget(self.heading)
        whole.addWidget(self.content)
        self._opened = opened
        self.heading.clicked.connect(lambda: self.open(not self._opened))
        self.open(opened)

    def add(self, what: QWidget | QLayout) -> None:
        """Put a further widget or layout under the heading."""
        if isinstance(what, QWidget):
            self.layout_.addWidget(what)
        else:
            self.layout_.addLayout(what)

    @property
    def opened(self) -> bool:
        """Whether its content is shown."""
        return self._opened

    def open(self, opened: bool = True) -> None:
        """Unfold or fold."""
        self._opened = opened
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.heading.setArrowType(arrow)
        does = "Fold" if opened else "Unfold"
        name(self.heading, f"{does} {self.heading.text()}", f"section {self.heading.text()}")
        self.content.setVisible(opened)

    def set_title(self, title: str) -> None:
        """Another heading, such as one with a number of things."""
        if title != self.heading.text():
            self.heading.setText(title)
            self.open(self._opened)

    def count(self, title: str, number: int) -> None:
        """The heading with a number of things that are not as usual, if there are any."""
        self.set_title(f"{title} ({number})" if number else title)
