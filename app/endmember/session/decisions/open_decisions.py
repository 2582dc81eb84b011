"""What only a person can decide before the results say what they seem to say."""

from __future__ import annotations

from endmember.session.decisions.recipe import Recipe


def open_decisions(recipe: Recipe, name: str) -> dict[str, str]:
    """Sentences about decisions still to be taken for a map, by the step that waits for them.

    The steps run without them: with no precipitate drawn the matrix is simply the whole map.
    """
    drawn = [p for p in recipe.precipitates if p.is_drawn_on(name)]
    if not drawn:
        says = (
            f'no precipitate is drawn on map "{name}", so {recipe.sample.matrix} is the whole map '
            "with all that lies in it: draw rectangles round the precipitates (Masks page)"
        )
        return {"masks": says, "subtraction": says}
    undecided = [p.name for p in drawn if not p.absent and p.factor is None]
    if undecided:
        one = len(undecided) == 1
        verb, which = ("is", "its absent element") if one else ("are", "their absent elements")
        says = f"{', '.join(undecided)} {verb} not separated from the matrix yet"
        return {"subtraction": f"{says}: choose {which} on the Phases page"}
    return {}
