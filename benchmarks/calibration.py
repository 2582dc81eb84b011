"""Are the areas of the fit unbiased, and are its errors right? A study on simulated spectra.

    python benchmarks/calibration.py [--spectra 2000] [--parts matrix,subtracted,mismatch,speed]
                                     [--maps 100] [--write docs/theory/calibration.md]

Prints its tables; with --write also replaces the sections of that document that it made anew. Seeds
are fixed. All of it takes about twelve minutes of one core, 100 whole maps (--maps) four more.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from simulated_spectra import (
    MATRIX,
    Source,
    deeply_absorbed,
    rolled_off,
    with_thick_copper,
    with_unabsorbed,
)

from endmember.core.counts.spectrum import FloatArray, Spectrum
from endmember.core.fitting.fit_background import Background
from endmember.core.fitting.spectrum_fit import SpectrumFit, fit_spectrum
from endmember.core.fitting.subtraction import subtract
from endmember.core.quantification.detection import CRITICAL
from endmember.core.simulation.simulated_map import (
    AXIS,
    SYSTEM_SHARE,
    BEAM_keV,
    MEASURED_RANGE_keV,
    TAKE_OFF_deg,
    THICKNESS_nm,
    expected_truth,
    weight_fractions,
)
from endmember.core.simulation.specimens import PHASES, Phase
from endmember.core.xrays.artefact_peaks import Artefacts
from endmember.core.xrays.detector import Detector
from endmember.core.xrays.foil import Foil
from endmember.core.xrays.line_shapes import Calibration

SEED = 20240601
LEVELS = (0.2e6, 2e6, 27e6)
ELEMENTS = tuple(MATRIX.atomic_percent)
SYSTEM = ("Cu", "Co", "Ga", "C")
TRACES = ("Nd", "Sm", "U")
GOAL_BIAS = {0.2e6: 0.3, 2e6: 0.1, 27e6: 0.1}
INSIDE = {1.0: 0.6827, 1.96: 0.95}
FALSE_ALARMS = 0.05
GOAL_BOUND = 0.05
SUBTRACTED = 500
THREE_TERMS = Background(0, 0, (-1, 0, 1), (), unabsorbed=False)
PER_MISMATCH = 100


def foil_of(phase: Phase) -> tuple[Foil, dict[str, float]]:
    """The foil of a phase of the demo and its weight fractions, as the session would know them."""
    foil = Foil(THICKNESS_nm, phase.density_g_cm3, TAKE_OFF_deg)
    return foil, weight_fractions(phase.atomic_percent)


@dataclass(frozen=True)
class Way:
    """How spectra are fitted."""

    elements: tuple[str, ...] = (*ELEMENTS, *SYSTEM)
    phase: Phase = MATRIX
    precipitate: Phase | None = None  # of a mixture: `share` of its counts
    share: float = 0.0
    absorption: bool = True
    background: Background | None = None
    artefacts: Artefacts | None = None

    def fit(self, spectrum: Spectrum, calibration: Calibration | None = None) -> SpectrumFit:
        """Fit; with a `calibration` given, that one is kept."""
        foil, weights = foil_of(self.phase)
        if self.precipitate is not None:  # the session takes what it finds in the mixture
            other = foil_of(self.precipitate)[1]
            weights = {
                e: (1 - self.share) * weights.get(e, 0.0) + self.share * other.get(e, 0.0)
                for e in ELEMENTS
            }
        return fit_spectrum(
            spectrum,
            self.elements,
            detector=Detector(),
            foil=foil if self.absorption else None,
            weight_fractions=weights if self.absorption else None,
            calibration=calibration,
            refine_calibration=calibration is None,
            background=self.background,
            artefacts=self.artefacts,
        )


def measured(counts: FloatArray) -> Spectrum:
    """A spectrum over the range that is fitted."""
    whole = Spectrum(np.asarray(counts, float), AXIS, BEAM_keV, TAKE_OFF_deg)
    return whole.between(*MEASURED_RANGE_keV)


@dataclass
class Sample:
    """Areas of many fits, their own sigma and the sigma of the blank, a row per fit."""

    truth: dict[str, float]
    areas: list[list[float]] = field(default_factory=list)
    sigmas: list[list[float]] = field(default_factory=list)
    blanks: list[list[float]] = field(default_factory=list)
    chi: list[float] = field(default_factory=list)
    orders: Counter[int] = field(default_factory=Counter)

    def add(self, fit: SpectrumFit, blank: bool = False) -> None:
        """Keep what is asked for of one fit."""
        indices = [fit.find(e, fit.family_of(e) or "") for e in self.truth]
        found = [index for index in indices if index is not None]
        assert len(found) == len(self.truth)
        self.areas.append(fit.areas[found].tolist())
        self.sigmas.append(np.sqrt(np.diag(fit.covariance)[found]).tolist())
        if blank:
            self.blanks.append([fit.sigma_without(index) for index in found])
        self.chi.append(fit.reduced_chi_squared)
        self.orders[fit.background_model.orders] += 1

    def column(self, element: str) -> tuple[FloatArray, FloatArray]:
        """Area less truth, and sigma, of one element in every fit."""
        i = list(self.truth).index(element)
        off = np.array(self.areas)[:, i] - self.truth[element]
        return off, np.array(self.sigmas)[:, i]

    def bias(self, element: str) -> float:
        """Mean of area less truth in units of the mean sigma; its own error is 1 / sqrt(fits)."""
        off, sigma = self.column(element)
        return float(off.mean() / sigma.mean())

    def inside(self, element: str, sigmas: float) -> float:
        """The share of fits whose area lies within so many of its own sigma of the truth."""
        off, sigma = self.column(element)
        return float(np.mean(np.abs(off) <= sigmas * sigma))

    def alarms(self, element: str) -> float:
        """The share of fits with an area above Currie's critical level."""
        i = list(self.truth).index(element)
        return float(np.mean(np.array(self.areas)[:, i] > CRITICAL * np.array(self.blanks)[:, i]))


def draws(expected: FloatArray, level: float, count: int, *seed: int) -> list[Spectrum]:
    """So many spectra with `level` counts expected on the whole axis."""
    rng = np.random.default_rng([SEED, *seed])
    return [measured(rng.poisson(expected * level)) for _ in range(count)]


def within(share: float, goal: float, count: int) -> bool:
    """Whether a share lies within three binomial standard deviations of its goal."""
    return abs(share - goal) <= 3 * np.sqrt(goal * (1 - goal) / count)


def cramer_rao(source: Source, level: float, background: Background) -> dict[str, float]:
    """The smallest standard deviation that unbiased areas can have: the Fisher information.

    J^T diag(1/mu) J, mu the true expected counts, J the derivatives of the model at its fit of mu
    by all areas, the terms of the background, offset, gain and width.
    """
    expected, alpha = source.expected()
    fit = Way(background=background).fit(measured(expected * level))
    mu = fit.spectrum.counts
    scale = np.sqrt(np.einsum("ij,ij->j", fit.jacobian, fit.jacobian / mu[:, None]))
    scaled = fit.jacobian / scale
    bound = np.sqrt(np.diag(np.linalg.inv(scaled.T @ (scaled / mu[:, None])))) / scale
    indices = {e: fit.find(e, fit.family_of(e) or "") for e in alpha}
    return {e: float(bound[index]) for e, index in indices.items() if index is not None}


def counts_text(level: float) -> str:
    """ "0.2", "2", "27" million."""
    return f"{level / 1e6:g} million counts"


def marked(text: str, good: bool) -> str:
    """The text, with a star where a goal is missed."""
    return text + (" " if good else "*")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain text table, columns set to the right."""
    widths = [max(len(r[i]) for r in (header, *rows)) for i in range(len(header))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def agreement() -> str:
    """How far this study's simulator departs from that of the demo, in one sentence."""
    truth = expected_truth(8)
    demo = (1 - SYSTEM_SHARE) * truth.spectra[0] + SYSTEM_SHARE * truth.system_spectrum
    spectrum, alpha = Source().expected()
    areas = (1 - SYSTEM_SHARE) * truth.alpha_share[0]
    off = max(abs(alpha[e] / area - 1) for e, area in zip(ELEMENTS, areas, strict=True))
    channel = float(np.abs(spectrum / demo - 1)[demo > 0].max())
    return (
        "largest relative difference between this study's expected matrix spectrum and that of the "
        f"demo: {channel:.0e} in a channel, {off:.0e} in an area"
    )


def matrix_study(count: int) -> str:
    """Bias, coverage, scatter and false alarms of the matrix at three levels."""
    parts = [agreement()]
    for number, level in enumerate(LEVELS):
        source = Source()
        expected, alpha = source.expected()
        sample = Sample({e: share * level for e, share in alpha.items()})
        for spectrum in draws(expected, level, count, 1, number):
            sample.add(Way().fit(spectrum))
        bare = Source(without=TRACES)
        blank = Sample(dict.fromkeys(TRACES, 0.0))
        for spectrum in draws(bare.expected()[0], level, count, 2, number):
            blank.add(Way().fit(spectrum), blank=True)
        parts.append(matrix_table(level, sample, blank, source))
    return "\n\n".join(parts)


def matrix_table(level: float, sample: Sample, blank: Sample, source: Source) -> str:
    """The table of one level."""
    count = len(sample.areas)
    bounds = cramer_rao(source, level, Background(further=0))
    least = cramer_rao(source, level, THREE_TERMS)
    rows = []
    for element, truth in sample.truth.items():
        off, sigma = sample.column(element)
        bias, ones, twos = (
            sample.bias(element),
            sample.inside(element, 1.0),
            sample.inside(element, 1.96),
        )
        over = float(off.std(ddof=1)) / bounds[element] - 1
        row = [
            element,
            f"{truth:.5g}",
            f"{sigma.mean():.4g}",
            marked(f"{bias:+.3f}", abs(bias) < GOAL_BIAS[level]),
            marked(f"{ones:.1%}", within(ones, INSIDE[1.0], count)),
            marked(f"{twos:.1%}", within(twos, INSIDE[1.96], count)),
            f"{bounds[element]:.4g}",
            f"{least[element]:.4g}",
            marked(f"{over:+.1%}", over < GOAL_BOUND),
        ]
        if element in blank.truth:
            rate = blank.alarms(element)
            row.append(marked(f"{rate:.1%}", within(rate, FALSE_ALARMS, len(blank.areas))))
        else:
            row.append("")
        rows.append(row)
    header = ["element", "true area", "sigma", "bias", "in 1 sigma", "in 1.96", "bound"]
    header += ["bound, 3 terms", "scatter over bound", "false alarms"]
    more = 1 - sample.orders[Background().orders] / count
    return (
        f"{counts_text(level)}, {count} spectra, mean reduced chi-squared "
        f"{np.mean(sample.chi):.4f}; a further order of the background was chosen in {more:.1%}\n"
        f"{table(header, rows)}"
    )


@dataclass(frozen=True)
class Precipitation:
    """A subtraction to be repeated: which phase, which element scales it, and the counts."""

    phase: int
    absent: str
    share: float  # of the mixture's counts that the precipitate makes up
    mixture: float
    matrix: float


SUBTRACTIONS = (
    Precipitation(1, "Si", 0.4, 2e6, 2e7),
    Precipitation(2, "Mg", 0.4, 2e6, 2e7),
)


def subtraction_study() -> str:
    """Bias, coverage and false alarms of precipitates after subtraction."""
    return "\n\n".join(subtraction_table(number, case) for number, case in enumerate(SUBTRACTIONS))


def subtraction_table(number: int, case: Precipitation) -> str:
    """Mixture less matrix, drawn anew each time, fitted with its own covariance."""
    truth = expected_truth(8)
    parts = {"matrix": truth.spectra[0], "precipitate": truth.spectra[case.phase]}
    system = truth.system_spectrum
    pure = (1 - SYSTEM_SHARE) * parts["matrix"] + SYSTEM_SHARE * system
    mixed = (1 - case.share) * parts["matrix"] + case.share * parts["precipitate"]
    mixed = (1 - SYSTEM_SHARE) * mixed + SYSTEM_SHARE * system
    counts = (1 - SYSTEM_SHARE) * case.share * case.mixture
    alpha = truth.alpha_share[case.phase] * counts
    phase = PHASES[case.phase]
    sample = Sample({e: float(a) for e, a in zip(ELEMENTS, alpha, strict=True) if e != case.absent})
    mixtures = draws(mixed, case.mixture, SUBTRACTED, 3, number, 0)
    matrices = draws(pure, case.matrix, SUBTRACTED, 3, number, 1)
    way = Way()
    mixing = replace(way, precipitate=phase, share=case.share)
    for mixture, matrix in zip(mixtures, matrices, strict=True):
        fit_m, fit_b = mixing.fit(mixture), way.fit(matrix)
        family = fit_b.family_of(case.absent) or ""
        done = subtract(fit_m, fit_b, case.absent, family)
        sample.add(replace(way, phase=phase).fit(done.spectrum, fit_m.calibration), blank=True)
    rows = []
    for element, true in sample.truth.items():
        bias, sigma = sample.bias(element), sample.column(element)[1].mean()
        ones, twos = sample.inside(element, 1.0), sample.inside(element, 1.96)
        scatter = sample.column(element)[0].std(ddof=1)
        rate = sample.alarms(element)
        alarms = "" if true else marked(f"{rate:.1%}", within(rate, FALSE_ALARMS, SUBTRACTED))
        rows.append(
            [
                element,
                f"{true:.5g}",
                f"{sigma:.4g}",
                marked(f"{bias:+.3f}", abs(bias) < 0.1),
                marked(f"{ones:.1%}", within(ones, INSIDE[1.0], SUBTRACTED)),
                marked(f"{twos:.1%}", within(twos, INSIDE[1.96], SUBTRACTED)),
                f"{scatter / sigma:.3f}",
                alarms,
            ]
        )
    header = ["element", "true area", "sigma", "bias", "in 1 sigma", "in 1.96"]
    header += ["scatter / sigma", "false alarms"]
    return (
        f"{phase.name}, {case.absent} absent: {case.mixture / 1e6:g} million counts of mixture "
        f"({case.share:.0%} {phase.name}), {case.matrix / 1e6:g} million of matrix, {SUBTRACTED} "
        f"subtractions, mean reduced chi-squared {np.mean(sample.chi):.4f}\n"
        f"{table(header, rows)}"
    )


ALL = Way()
MISMATCHES: tuple[tuple[str, Source, Way], ...] = (
    ("none", Source(), ALL),
    ("continuum rolls off below 0.35 keV", Source(continuum=rolled_off), ALL),
    ("continuum absorbed thrice as much", Source(continuum=deeply_absorbed), ALL),
    ("second continuum, not absorbed, 1/2", Source(continuum=with_unabsorbed), ALL),
    ("second continuum, thick Cu, 1/10", Source(continuum=with_thick_copper), ALL),
    ("continuum broadened by detector", Source(broadened=True), ALL),
    ("offset 10 eV, gain 1.002", Source(calibration=Calibration(0.01, 1.002, 130.0)), ALL),
    ("Mn width 145 eV", Source(calibration=Calibration(0.002, 1.0003, 145.0)), ALL),
    ("width grows by 2700 eV2/keV", Source(fano_slope=2700.0), ALL),
    ("beta lines 3 % stronger", Source(other_lines=1.03), ALL),
    ("2 % of soft lines in a tail", Source(low_tail=0.02), ALL),
    ("0.1 % K, not listed", Source(stray={"K": 1e-3}), ALL),
    (
        "0.1 % K, listed",
        Source(stray={"K": 1e-3}),
        Way((*ELEMENTS, *SYSTEM, "K")),
    ),
    ("0.1 % Cr, not listed", Source(stray={"Cr": 1e-3}), ALL),
    ("0.1 % Cr, listed", Source(stray={"Cr": 1e-3}), Way((*ELEMENTS, *SYSTEM, "Cr"))),
    ("system peaks not listed", Source(), Way(ELEMENTS)),
    ("no absorption in the fit", Source(), Way(absorption=False)),
    ("escape peaks, not in the fit", Source(escape=True), ALL),
    ("escape peaks, in the fit", Source(escape=True), Way(artefacts=Artefacts(escape=True))),
    ("background of 3 terms only", Source(), Way(background=THREE_TERMS)),
)


def mismatch_study() -> str:
    """What each departure of the truth from the model costs, at three levels."""
    parts = []
    for number, level in enumerate(LEVELS):
        rows = []
        for case, (name, source, way) in enumerate(MISMATCHES):
            expected, alpha = source.expected()
            sample = Sample({e: share * level for e, share in alpha.items()})
            for spectrum in draws(expected, level, PER_MISMATCH, 4, number, case):
                sample.add(way.fit(spectrum))
            cells = [
                marked(f"{bias:+.2f}", abs(bias) < GOAL_BIAS[level] + 3 / np.sqrt(PER_MISMATCH))
                for bias in map(sample.bias, ELEMENTS)
            ]
            rows.append([name, *cells, f"{np.mean(sample.chi):.3f}"])
        parts.append(
            f"{counts_text(level)}, {PER_MISMATCH} spectra each: bias in sigma, and mean reduced "
            f"chi-squared\n{table(['mismatch', *ELEMENTS, 'chi2'], rows)}"
        )
    return "\n\n".join(parts)


def speed_study() -> str:
    """The time of a full fit with its errors against one least-squares solution of its size."""
    elements = (*ELEMENTS, *SYSTEM, "Ti", "Cr", "Mn", "Ni", "K", "Na", "S", "Cl", "P", "La", "Ce")
    expected, _ = Source().expected()
    spectra = draws(expected, 2e6, 8, 5)
    fits, solutions = [], []
    way = Way(elements)
    fit = way.fit(spectra[0])
    channels, parameters = fit.jacobian.shape
    design = fit.jacobian / np.linalg.norm(fit.jacobian, axis=0)
    for spectrum in spectra:
        begun = time.process_time()
        way.fit(spectrum)
        fits.append(time.process_time() - begun)
        begun = time.process_time()
        np.linalg.lstsq(design, spectrum.counts, rcond=None)
        solutions.append(time.process_time() - begun)
    took, peer = float(np.median(fits)), float(np.median(solutions))
    return (
        f"{channels} channels, {len(fit.columns)} columns, {parameters} parameters, 2 million "
        f"counts:\na full fit with its errors takes {1000 * took:.0f} ms of CPU, one "
        f"numpy.linalg.lstsq of that size {1000 * peer:.1f} ms: a ratio of {took / peer:.0f}"
    )


def write_section(path: Path, heading: str, text: str) -> None:
    """Replace the section of a document that this study makes, or add it at the end."""
    document = path.read_text("utf-8") if path.exists() else "# Calibration of the fit\n"
    section = f"## {heading}\n\n```\n{text}\n```\n"
    before, found, rest = document.partition(f"## {heading}\n")
    following = rest.find("\n## ")
    after = rest[following:] if found and following >= 0 else ""
    path.write_text(f"{before.rstrip()}\n\n{section}{after}", "utf-8")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spectra", type=int, default=2000)
    parser.add_argument("--parts", default="matrix,subtracted,mismatch,speed")
    parser.add_argument("--maps", type=int, default=0)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    studies: dict[str, tuple[str, Callable[[], str]]] = {
        "matrix": ("Matrix", lambda: matrix_study(options.spectra)),
        "subtracted": ("Subtracted spectra", subtraction_study),
        "mismatch": ("What a mismatch costs", mismatch_study),
        "speed": ("Speed", speed_study),
    }
    chosen = [studies[part] for part in options.parts.split(",") if part]
    if options.maps:
        from map_calibration import map_study

        chosen.append(("Whole maps", lambda: map_study(options.maps)))
    for heading, study in chosen:
        text = study()
        print(f"\n{heading}\n\n{text}", flush=True)
        if options.write:
            write_section(options.write, heading, text)


if __name__ == "__main__":
    main()
