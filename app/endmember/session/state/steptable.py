"""What a step is: the settings it reads, the steps it needs, and what it runs.

A result is current if and only if its key is the one today's recipe asks for. The key of a step
holds its name, the settings it reads and the keys of what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from endmember.session.decisions.recipe import MapInput, Recipe

Settings = tuple[Hashable, ...]
Maps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapStep:
    """A step that works on one map.

    `run` is called as run(report, *settings, *inputs): `settings` are what `reads` returned, and
    each input is the result of a needed step for this map. `kept` is how many results that are no
    longer wanted are kept for every map, for undo. From `advice` nothing follows but a message: its
    failure ends no run.
    """

    name: str
    reads: Callable[[Recipe, MapInput], Settings]
    needs: tuple[str, ...]
    run: Callable[..., Any]
    kept: int = 8
    advice: bool = False


@dataclass(frozen=True, slots=True)
class GroupStep:
    """A step that works on a group of maps and has one result for the group.

    `groups` divides the maps of a recipe; `run` is called as run(report, *settings, *inputs), and
    each input is a dict from the names of the group's maps to the results for them, also when
    the group is a single map. `after` names maps of other groups: this group waits for their
    results of the same step, which come as one more dict, the last argument.
    """

    name: str
    reads: Callable[[Recipe, tuple[MapInput, ...]], Settings]
    needs: tuple[str, ...]
    run: Callable[..., Any]
    groups: Callable[[Recipe], tuple[Maps, ...]]
    kept: int = 8
    after: Callable[[Recipe, Maps], Maps] | None = None


Step = MapStep | GroupStep


def maps_before(step: Step, recipe: Recipe, maps: Maps) -> Maps | None:
    """The maps whose results of the same step a group waits for; None where the step takes none."""
    after = step.after if isinstance(step, GroupStep) else None
    return None if after is None else after(recipe, maps)


def after_first_map(recipe: Recipe, maps: Maps) -> Maps:
    """Each map after the first waits for that one, where each is decomposed alone."""
    first = recipe.map_names[:1]
    return () if recipe.decomposition.joint or maps == first else first


def all_maps(recipe: Recipe) -> tuple[Maps, ...]:
    """One group of all maps."""
    return (recipe.map_names,)


def joint_maps(recipe: Recipe) -> tuple[Maps, ...]:
    """One group of all maps where they are decomposed together, otherwise each map alone."""
    if recipe.decomposition.joint:
        return all_maps(recipe)
    return tuple((name,) for name in recipe.map_names)


@dataclass(frozen=True)
class Key:
    """Names a result by what it follows from; holds values, never arrays."""

    step: str
    maps: Maps | None  # None for a step on one map: equal inputs give equal results
    settings: Settings
    inputs: tuple[Key, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Hashed once: settings may hold long strokes, and keys hold keys.
        value = hash((self.step, self.maps, self.settings, self.inputs))
        object.__setattr__(self, "_hash", value)

    def __hash__(self) -> int:
        return self._hash


class StepTable:
    """The steps of a method, in an order in which each follows what it needs."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Raise ValueError if a name comes twice or a step needs one that is not before it."""
        self._steps: dict[str, Step] = {}
        for step in steps:
            if step.name in self._steps:
                raise ValueError(f'the step "{step.name}" is defined twice')
            for need in step.needs:
                if need not in self._steps:
                    raise ValueError(f'the step "{step.name}" needs "{need}", not before it')
            self._steps[step.name] = step

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())

    def __getitem__(self, name: str) -> Step:
        return self._steps[name]

    def is_advice(self, name: str) -> bool:
        """Whether nothing follows from a step but a message."""
        step = self._steps[name]
        return isinstance(step, MapStep) and step.advice

    def groups(self, name: str, recipe: Recipe) -> tuple[Maps, ...]:
        """The groups of maps that a step works on, one after the other."""
        step = self._steps[name]
        if isinstance(step, GroupStep):
            return step.groups(recipe)
        return tuple((map_name,) for map_name in recipe.map_names)

    def group(self, name: str, recipe: Recipe, map_name: str | None) -> Maps:
        """The group that holds `map_name`; without a name, the only group.

        Raises
        ------
        ValueError
            if there is no such group, or more than one and no name.
        """
        groups = self.groups(name, recipe)
        if map_name is None:
            if len(groups) != 1:
                raise ValueError(f'the step "{name}" works map by map; name one of the maps')
            return groups[0]
        for group in groups:
            if map_name in group:
                return group
        raise ValueError(f'the step "{name}" has no map "{map_name}"; name one of the recipe')

    def settings(self, name: str, recipe: Recipe, maps: Maps) -> Settings:
        """What a step reads from the recipe for a group of maps."""
        step = self._steps[name]
        entries = tuple(recipe.map_named(map_name) for map_name in maps)
        if isinstance(step, GroupStep):
            return step.reads(recipe, entries)
        return step.reads(recipe, entries[0])


def key(table: StepTable, name: str, recipe: Recipe, map_name: str | None = None) -> Key:
    """The key of the result of step `name` that `recipe` asks for, for the group of a map."""
    return KeyRing(table, recipe).key(name, map_name)


class KeyRing:
    """The keys that one recipe asks for, each made once."""

    def __init__(self, table: StepTable, recipe: Recipe) -> None:
        self.table, self.recipe = table, recipe
        self._made: dict[tuple[str, Maps], Key] = {}

    def key(self, name: str, map_name: str | None = None) -> Key:
        """The key of a step for the group that holds a map; see `StepTable.group`."""
        return self.key_of(name, self.table.group(name, self.recipe, map_name))

    def key_of(self, name: str, maps: Maps) -> Key:
        """The key of a step for one of its groups."""
        if (name, maps) not in self._made:
            self._made[name, maps] = self._make(name, maps)
        return self._made[name, maps]

    def _make(self, name: str, maps: Maps) -> Key:
        step = self.table[name]
        inputs = tuple(self.key(need, map_name) for need in step.needs for map_name in maps)
        before = maps_before(step, self.recipe, maps) or ()
        inputs += tuple(self.key(name, map_name) for map_name in before)
        settings = self.table.settings(name, self.recipe, maps)
        return Key(name, maps if isinstance(step, GroupStep) else None, settings, inputs)

    def all(self) -> Iterator[tuple[Step, Maps, Key]]:
        """Each step with each of its groups, in the order of the table."""
        for step in self.table:
            for maps in self.table.groups(step.name, self.recipe):
                yield step, maps, self.key_of(step.name, maps)
