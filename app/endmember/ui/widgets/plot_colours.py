"""Colours of marks that follow the theme and stay legible on the plot."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache

from PyQt6.QtGui import QColor

from endmember.ui.widgets.theme import DARK, LIGHT, Colours

LEGIBLE_CONTRAST = 4.5  # of text to its ground, WCAG 2.2, 1.4.3
MOST_KEPT = 200  # colours remembered: every label asks for its own whenever it is drawn


def _meanings() -> dict[str, str]:
    # The colour of lines first, since it equals that of text.
    names = ("line", "second_line", "muted", "accent", "good", "warning", "error", "grid", "border")
    found: dict[str, str] = {}
    for theme in (LIGHT, DARK):
        values = asdict(theme)
        for name in names:
            found.setdefault(values[name].lower(), name)
    return found


_MEANINGS = _meanings()


def themed(colour: QColor | str, colours: Colours) -> QColor:
    """A colour as it is in these colours: one of the other theme's is exchanged for its like."""
    asked = QColor(colour)
    return QColor.fromRgba(_themed(asked.rgba(), colours))


@lru_cache(MOST_KEPT)
def _themed(rgba: int, colours: Colours) -> int:
    asked = QColor.fromRgba(rgba)
    meaning = _MEANINGS.get(asked.name())
    if meaning is None:
        return rgba
    found = QColor(getattr(colours, meaning))
    found.setAlpha(asked.alpha())
    return found.rgba()


def faint(colour: QColor, alpha: int) -> QColor:
    """The same colour, let through."""
    copy = QColor(colour)
    copy.setAlpha(min(alpha, colour.alpha()))
    return copy


def contrast(first: QColor, second: QColor) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def legible(colour: QColor, colours: Colours) -> QColor:
    """The colour, drawn towards that of text until it can be read on the plot."""
    return QColor.fromRgba(_legible(colour.rgba(), colours))


@lru_cache(MOST_KEPT)
def _legible(rgba: int, colours: Colours) -> int:
    colour = QColor.fromRgba(rgba)
    ground, text = QColor(colours.plot), QColor(colours.text)
    for share in range(0, 101, 10):
        mixed = QColor(
            *(
                (have * (100 - share) + want * share) // 100
                for have, want in (
                    (colour.red(), text.red()),
                    (colour.green(), text.green()),
                    (colour.blue(), text.blue()),
                )
            )
        )
        if contrast(mixed, ground) >= LEGIBLE_CONTRAST:
            return mixed.rgba()
    return text.rgba()


def _luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
