"""One task in one other program, timed without its imports and without reading the map.

    PYTHON benchmarks/peer_work.py TASK MAP.hspy FOLDER

Runs in the environment of `peers.txt`, in which there is no Endmember. FOLDER holds the counts as a
sparse matrix and the spectra of the phases (`chain.py export`). Each task is done as the manual of
its program does it, and the way is the fastest that the manual shows. Prints JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

COMPONENTS, ITERATIONS = 3, 200
ELEMENTS = ["O", "Mg", "Al", "Si", "Ca", "Fe", "Nd", "Sm", "U", "C", "Co", "Cu", "Ga"]
RANGE_keV = (0.3, 20.0)
REPEATS, SHORT_s = 3, 10.0  # what is over sooner than that is done several times


def _hyperspy_map(file: Path) -> Any:
    import exspy  # noqa: F401  (HyperSpy knows EDX maps by it)
    import hyperspy.api as hs

    hs.preferences.General.show_progressbar = False
    loaded = hs.load(str(file))
    signals = loaded if isinstance(loaded, list) else [loaded]
    return next(s for s in signals if s.data.ndim == 3).isig[RANGE_keV[0] : RANGE_keV[1]]


def hyperspy_pca(file: Path, _: Path, **options: Any) -> Any:
    """Scaled for Poisson noise, all components: the default, and what a scree plot needs."""
    signal = _hyperspy_map(file)
    signal.change_dtype("float32")  # with float64, all components need more than 24 GB at 512
    return lambda: signal.decomposition(
        normalize_poissonian_noise=True, print_info=False, **options
    )


def hyperspy_short_pca(file: Path, folder: Path) -> Any:
    """Only the first 20 components, for which HyperSpy takes a randomised method."""
    return hyperspy_pca(file, folder, output_dimension=20, svd_solver="randomized")


def hyperspy_nmf(file: Path, folder: Path) -> Any:
    """scikit-learn's least squares, called by HyperSpy on scaled counts."""
    return hyperspy_pca(
        file, folder, algorithm="NMF", output_dimension=COMPONENTS, max_iter=ITERATIONS
    )


def sklearn_kl(_: Path, folder: Path) -> Any:
    """The Poisson likelihood; from a sparse matrix, which it takes and which suits it."""
    from scipy.sparse import load_npz
    from sklearn.decomposition import NMF

    counts = load_npz(folder / "counts.npz").astype(np.float64)
    model = NMF(
        COMPONENTS,
        solver="mu",
        beta_loss="kullback-leibler",
        init="random",
        random_state=0,
        max_iter=ITERATIONS,
    )
    return lambda: model.fit_transform(counts)


def pysptools_fcls(_: Path, folder: Path) -> Any:
    """Fully constrained least squares, one quadratic programme for each pixel."""
    from pysptools.abundance_maps.amaps import FCLS
    from scipy.sparse import load_npz

    counts = load_npz(folder / "counts.npz").astype(np.float64).toarray()
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    endmembers = np.load(folder / "endmembers.npy")
    endmembers /= endmembers.sum(axis=1, keepdims=True)
    return lambda: FCLS(counts, endmembers)


def exspy_fit(file: Path, _: Path) -> Any:
    """The summed spectrum: a model of all lines, its background, then everything."""
    spectrum = _hyperspy_map(file).sum()
    spectrum.set_elements(ELEMENTS)

    def fit() -> None:
        model = spectrum.create_model()
        model.fit_background()
        model.fit()

    return fit


TASKS = {
    task.__name__: task
    for task in (
        hyperspy_pca,
        hyperspy_short_pca,
        hyperspy_nmf,
        sklearn_kl,
        pysptools_fcls,
        exspy_fit,
    )
}


def _go_first() -> None:
    """Should memory run out, let Linux end this process and no other."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def main(name: str, file: str, folder: str) -> None:
    """Prepare, then time the task alone."""
    _go_first()
    warnings.simplefilter("ignore")
    work = TASKS[name](Path(file), Path(folder))
    seconds: list[float] = []
    processor_s: list[float] = []
    while not seconds or (len(seconds) < REPEATS and seconds[0] < SHORT_s):
        begun, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - begun)
        processor_s.append(time.process_time() - used)
    print()
    print(json.dumps({"seconds": seconds, "processor_s": processor_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
