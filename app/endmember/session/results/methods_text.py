"""How the numbers of a session were made: a paragraph to paste, its references, assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from endmember import __version__
from endmember.core.xrays.k_factors import SYSTEMATIC, SYSTEMATIC_OXYGEN
from endmember.session.state.session import Failure

if TYPE_CHECKING:
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.results.further_tables import FurtherRows
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Entry

REFERENCES = {
    "chen": "Chen et al., Ultramicroscopy (2024) 113981",
    "keenan": "Keenan & Kotula, Surf. Interface Anal. 36 (2004) 203",
    "johnstone": "Johnstone, Ann. Stat. 29 (2001) 295",
    "lee": "Lee & Seung, Adv. Neural Inf. Process. Syst. 13 (2001)",
    "golub": "Golub & Pereyra, SIAM J. Numer. Anal. 10 (1973) 413",
    "bhattacharyya": "Bhattacharyya, Bull. Calcutta Math. Soc. 35 (1943) 99",
    "kuhn": "Kuhn, Naval Res. Logist. Quart. 2 (1955) 83",
    "rother": "Rother, Kolmogorov & Blake, ACM Trans. Graph. 23 (2004) 309",
    "heinz": "Heinz & Chang, IEEE Trans. Geosci. Remote Sens. 39 (2001) 529",
    "mccullagh": "McCullagh & Nelder, Generalized Linear Models (1989)",
    "cliff": "Cliff & Lorimer, J. Microsc. 103 (1975) 203",
    "bote": "Bote, Salvat, Jablonski & Powell, At. Data Nucl. Data Tables 95 (2009) 871",
    "xraylib": "Schoonjans et al., Spectrochim. Acta B 66 (2011) 776",
    "goldstein": "Goldstein et al., SEM/1977/I, 315",
    "deer": "Deer, Howie & Zussman, An Introduction to the Rock-Forming Minerals (2013)",
    "currie": "Currie, Anal. Chem. 40 (1968) 586",
    "reed": "Reed & Ware, J. Phys. E 5 (1972) 582",
    "statham": "Statham, X-Ray Spectrom. 6 (1977) 94",
    "cochran": "Cochran, Biometrics 10 (1954) 101",
    "efron": "Efron & Tibshirani, An Introduction to the Bootstrap (1993)",
}


class Citations:
    """Numbers for references, in the order in which they are cited."""

    def __init__(self) -> None:
        self._cited: list[str] = []

    def __call__(self, *keys: str) -> str:
        """The numbers of these references in brackets, as in "[2, 3]"."""
        for key in keys:
            if key not in self._cited:
                self._cited.append(key)
        return "[" + ", ".join(str(self._cited.index(key) + 1) for key in keys) + "]"

    @property
    def listed(self) -> list[str]:
        """The references, the first cited first."""
        return [REFERENCES[key] for key in self._cited]


def methods(session: Session, further: FurtherRows) -> tuple[str, list[str]]:
    """A paragraph on the methods as they were used in this session, and its references."""
    cite = Citations()
    sentences = [
        *_maps(session, cite),
        *_components(session, cite),
        *_separation(session, cite),
        *_quantification(session, cite),
        *_several(session, cite),
        *_further(further, cite),
    ]
    return " ".join(sentences), cite.listed


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _entries(session: Session) -> tuple[Entry, ...]:
    found = session.result("quantification")
    return () if found is None or isinstance(found, Failure) else found.entries


def _maps(session: Session, cite: Citations) -> Iterator[str]:
    recipe = session.recipe
    facts = []
    for name in recipe.map_names:
        data = session.result("read", name)
        if data is None or isinstance(data, Failure):
            continue
        image = data.image
        size = f"{image.columns} × {image.rows} pixels"
        if image.pixel_size_nm is not None:
            size += f" of {image.pixel_size_nm:.3g} nm"
        angle = image.take_off_angle_deg
        seen = "" if angle is None else f", take-off angle {angle:g}°"
        facts.append(f"{size}, {image.beam_energy_keV:g} kV{seen}")
    number = len(recipe.maps)
    words = dict(enumerate(("Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"), 2))
    which = "A STEM-EDXS map" if number == 1 else f"{words.get(number, number)} STEM-EDXS maps"
    said = f" ({'; '.join(dict.fromkeys(facts))})" if facts else ""
    low, high = recipe.instrument.energy_range_keV
    yield (
        f"{which}{said} {'was' if number == 1 else 'were'} analysed between {low:g} and {high:g} "
        f"keV with Endmember {__version__}, after the method of Chen et al. {cite('chen')}."
    )


def _components(session: Session, cite: Citations) -> Iterator[str]:
    recipe = session.recipe
    how = recipe.decomposition
    together = ""
    if len(recipe.maps) > 1:
        together = " jointly" if how.joint else " each by itself"
    if how.method == "poisson":
        way = (
            "by non-negative matrix factorisation that maximises the Poisson likelihood of the "
            f"counts {cite('lee', 'golub')}"
        )
    else:
        way = (
            "by non-negative matrix factorisation in least squares on counts scaled for Poisson "
            f"noise {cite('keenan')}"
        )
    whole = "The map was" if len(recipe.maps) == 1 else "The maps were"
    yield f"{whole} decomposed{together} into {how.components} components {way}."
    suggested = [
        session.result("scree", name)
        for name in recipe.map_names
        if not isinstance(session.result("scree", name), Failure | None)
    ]
    if suggested:
        numbers = sorted({s.suggested for s in suggested})
        yield (
            f"The number of eigenvalues of the scaled counts {cite('keenan')} above those of noise "
            f"{cite('johnstone')} is {_listed([str(n) for n in numbers])}."
        )
    if len(recipe.maps) > 1 and not how.joint:
        yield (
            "Components of different maps were matched by the likeness of their spectra "
            f"{cite('bhattacharyya', 'kuhn')}."
        )


def _separation(session: Session, cite: Citations) -> Iterator[str]:
    recipe = session.recipe
    matrix = recipe.sample.matrix
    if not recipe.precipitates:
        yield f"The spectrum of {matrix} is that of all pixels that are not excluded."
        return
    names = _listed([p.name for p in recipe.precipitates])
    rectangles = sum(len(p.rectangles) for p in recipe.precipitates)
    strokes = sum(len(p.strokes) for p in recipe.precipitates)
    by_hand = f" and {strokes} strokes" if strokes else ""
    yield (
        f"Masks of {names} were cut from the component maps, smoothed by "
        f"{recipe.segmentation.smoothing_px:g} pixels, by GrabCut {cite('rother')} within "
        f"{rectangles} rectangles{by_hand} drawn by hand. Pixels in no mask make up the matrix "
        f"{matrix}; pixels in several masks were left out."
    )
    scaled = [
        f"{p.absent} for {p.name}"
        if p.factor is None
        else f"a factor of {p.factor:g} set by hand for {p.name}"
        for p in recipe.precipitates
    ]
    yield (
        f"From the summed spectrum of each mixture that of the matrix was subtracted "
        f"{cite('chen')}, scaled on the net counts of an absent element ({_listed(scaled)}); the "
        "covariance of the difference was carried on."
    )
    yield (
        "Abundance maps come from a fully constrained least-squares fit of the phases' spectra to "
        f"each pixel {cite('heinz')}, phase fractions from a weighted fit without bounds to the "
        "spectrum of the whole map."
    )


def _quantification(session: Session, cite: Citations) -> Iterator[str]:
    recipe, entries = session.recipe, _entries(session)
    how = recipe.quantification
    yield (
        "Each spectrum was fitted with the lines of all elements and a physical background by "
        f"Poisson maximum likelihood {cite('mccullagh')} (subtracted spectra by least squares with "
        f"their covariance). Compositions follow from net alpha-line areas after Cliff and Lorimer "
        f"{cite('cliff')} with {_factors(recipe, cite)}."
    )
    yield from _absorption(recipe, entries, cite)
    if how.oxygen == "stoichiometry":
        yield (
            "Oxygen was taken as much as the valences of the cations ask for"
            f" {cite('deer')}{_valences(recipe)}."
        )
    peaks = []
    if how.escape_peaks:
        peaks.append(f"escape peaks {cite('reed')}")
    if how.silicon_fluorescence:
        peaks.append("silicon fluorescence")
    if how.sum_peaks:
        peaks.append(f"sum peaks of the {how.sum_peaks} strongest lines {cite('statham')}")
    if peaks:
        yield f"Of the detector's own peaks {_listed(peaks)} were fitted."
    yield (
        "Statistical errors are one sigma with background, overlapping lines and subtraction. An "
        f"element is detected above Currie's critical level {cite('currie')}; limits of detection "
        "are 3 sigma of the blank."
    )
    if any(e.source in ("roi", "conventional") for e in entries):
        yield (
            "For comparison, regions of interest drawn by hand were quantified as measured and "
            f"after the conventional subtraction of the matrix from their areas {cite('chen')}."
        )


def _factors(recipe: Recipe, cite: Citations) -> str:
    how = recipe.quantification
    by_hand = _listed(list(how.k_factor)) if how.k_factor else ""
    if how.k_factors == "computed":
        text = (
            f"k-factors computed from ionisation cross sections {cite('bote')}, fluorescence data "
            f"{cite('xraylib')} and the detector's efficiency"
        )
    else:
        text = f"k-factors from the file {Path(how.k_factors).name}"
    return f"{text} ({by_hand} by hand)" if by_hand else text


def _absorption(recipe: Recipe, entries: Sequence[Entry], cite: Citations) -> Iterator[str]:
    corrected = [e for e in entries if e.composition.foil is not None]
    if not corrected:
        yield "Absorption was not corrected."
        return
    thickness = sorted({float(m.thickness_nm) for m in recipe.maps if m.thickness_nm is not None})
    densities = recipe.sample.density_g_cm3
    phases = [p for p in recipe.phases if p in densities]
    yield (
        f"Absorption was corrected for a foil of {_listed([f'{t:g}' for t in thickness])} nm "
        f"{cite('goldstein')} with attenuation coefficients of xraylib {cite('xraylib')} and "
        f"densities of {_listed([f'{densities[p]:g} ({p})' for p in phases])} g/cm³."
    )


def _valences(recipe: Recipe) -> str:
    valences = recipe.quantification.valence
    if not valences:
        return ""
    return f" ({_listed([f'{element} {valences[element]:g}+' for element in valences])})"


def _several(session: Session, cite: Citations) -> Iterator[str]:
    entries = _entries(session)
    if not any(e.map == "sum" for e in entries):
        return
    yield (
        "Spectra of the same phase and their covariances were added over the maps, each "
        "precipitate subtracted on its own map before. Whether the maps agree was tested by "
        f"chi-squared {cite('cochran')} on statistical errors, with all tests counted (Bonferroni)."
    )


def _further(further: FurtherRows, cite: Citations) -> Iterator[str]:
    if further.growth:
        yield (
            "Signal to noise and errors against pixels are those of nested random parts of each "
            "phase's pixels."
        )
    if further.spread:
        yield (
            "The masks' own error was found by eroding and dilating them by a pixel, redrawing the "
            "rectangles by up to two pixels and other seeds of GrabCut."
        )
    if further.bootstrap:
        number = max(row.replicates for row in further.bootstrap)
        yield f"The chain was repeated on {number} Poisson resamples of the maps {cite('efron')}."


def assumptions(session: Session) -> list[str]:
    """What the numbers take for granted, as it is in this session."""
    recipe = session.recipe
    sample, how = recipe.sample, recipe.quantification
    told = [
        f"{p.absent} is absent from {p.name}: the matrix is scaled on it before it is subtracted."
        if p.factor is None
        else f"The matrix under {p.name} is {p.factor:g} times its spectrum, set by hand."
        for p in recipe.precipitates
    ]
    if recipe.precipitates:
        told.append(f"{sample.matrix} has one composition above, below and beside precipitates.")
    told += _thicknesses(recipe)
    if how.k_factors == "computed":
        told.append(
            "Computed k-factors are taken to be right within "
            f"{100 * SYSTEMATIC['K']:g} % (K lines), {100 * SYSTEMATIC_OXYGEN:g} % (O), "
            f"{100 * SYSTEMATIC['L']:g} % (L) and {100 * SYSTEMATIC['M']:g} % (M); this is the "
            "error of the k-factors in the tables."
        )
    told.append(
        "Oxygen is measured by its own line."
        if how.oxygen == "measured"
        else "Oxygen follows from the cations and says nothing of its own."
    )
    detector = recipe.detector
    told.append(
        f"The detector's efficiency is that of the file {Path(detector.curve).name}."
        if detector.curve
        else f"The detector is windowless, {detector.silicon_um:g} µm of silicon below "
        f"{detector.dead_layer_nm:g} nm of dead layer and {detector.aluminium_nm:g} nm of Al."
    )
    if sample.system_elements:
        told.append(
            f"{_listed(list(sample.system_elements))} come from instrument or grid: fitted, "
            "never quantified."
        )
    excluded = sum(len(entry.excludes) for entry in recipe.maps)
    if excluded:
        told.append(f"{excluded} shapes are excluded from all phases by hand.")
    told.append("Statistical errors hold nothing of thickness, density and take-off angle.")
    return told


def _thicknesses(recipe: Recipe) -> Iterator[str]:
    densities = recipe.sample.density_g_cm3
    for entry in recipe.maps:
        if entry.thickness_nm is None:
            yield f"Map {entry.name}: absorption is not corrected, since no thickness is given."
        else:
            yield (
                f"Map {entry.name}: each phase is a foil of {entry.thickness_nm:g} nm at its own "
                "density."
            )
    missing = [phase for phase in recipe.phases if phase not in densities]
    if missing and any(entry.thickness_nm is not None for entry in recipe.maps):
        yield f"{_listed(missing)}: absorption is not corrected, since no density is given."
