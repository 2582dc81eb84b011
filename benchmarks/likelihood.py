"""Is the likelihood of our components as good as that of a slow solver run to its end?

    python benchmarks/likelihood.py RECIPE SEEDS

scikit-learn's multiplicative updates start from several random factors; the best of them goes on
until 100 passes together lower the deviance by less than 1e-7 of itself. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from chain import sparse_counts, with_map
from sklearn.decomposition import non_negative_factorization

SHORT, CHUNK, MOST = 200, 100, 6000  # passes of each seed, between two looks, and at most
ENOUGH = 1e-7  # of the deviance, by which CHUNK passes must lower it to go on
COMPONENTS = 3


def deviance(counts: Any, weights: Any, profiles: Any) -> float:
    """2 sum(x ln(x / mu) - x + mu) over all entries, mu = weights (P, K) profiles (K, C)."""
    entries = counts.tocoo()
    x = entries.data.astype(np.float64)
    mu = np.einsum("ik,ik->i", weights[entries.row], profiles.T[entries.col])
    expected = float(weights.sum(axis=0) @ profiles.sum(axis=1))
    return 2.0 * (float((x * np.log(x / mu)).sum() - x.sum()) + expected)


def _passes(counts: Any, passes: int, **start: Any) -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged is known
        weights, profiles, _ = non_negative_factorization(
            counts,
            n_components=COMPONENTS,
            solver="mu",
            beta_loss="kullback-leibler",
            tol=0.0,
            max_iter=passes,
            **start,
        )
    return weights, profiles


def reference(counts: Any, seeds: int) -> dict[str, Any]:
    """The deviance of scikit-learn's solver, from the best of the seeds to its end."""
    begun = time.perf_counter()
    starts = [_passes(counts, SHORT, init="random", random_state=seed) for seed in range(seeds)]
    found = [deviance(counts, *start) for start in starts]
    weights, profiles = starts[int(np.argmin(found))]
    last, passes, gain = min(found), SHORT, 1.0
    while gain > ENOUGH and passes < MOST:
        weights, profiles = _passes(counts, CHUNK, init="custom", W=weights, H=profiles)
        passes += CHUNK
        now = deviance(counts, weights, profiles)
        gain, last = (last - now) / now, now
    return {
        "deviance": last,
        "passes": passes,
        "gain_of_last_passes": gain,
        "settled": gain <= ENOUGH,
        "after_short_run": found,
        "seconds": time.perf_counter() - begun,
    }


def ours(recipe: Path, counts: Any) -> dict[str, Any]:
    """The deviance of Endmember's components, worked out by the same formula."""
    from endmember.core.unmixing.decomposition import decompose

    session = with_map(recipe)
    asked = session.recipe.decomposition
    image = session.result("read", session.recipe.map_names[0]).image
    begun = time.perf_counter()
    found = decompose([image], asked.components, "poisson", asked.seed)
    seconds = time.perf_counter() - begun
    weights = found.maps[0].reshape(len(found.spectra), -1).T
    return {
        "deviance": deviance(counts, weights, found.spectra),
        "passes": found.iterations,
        "converged": found.converged,
        "seconds": seconds,
    }


def main(recipe: str, seeds: str) -> None:
    """Work both out and print them."""
    counts = sparse_counts(Path(recipe)).astype(np.float64)
    own = ours(Path(recipe), counts)
    print(json.dumps({"endmember": own, "scikit_learn": reference(counts, int(seeds))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
