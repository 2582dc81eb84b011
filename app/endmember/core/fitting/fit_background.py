"""The background of a fit: the shapes of bremsstrahlung that it may take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts.spectrum import FloatArray


@dataclass(frozen=True, slots=True)
class Background:
    """A sum of terms in the energy E, each times detector efficiency and absorption in the foil.

    orders
        the number of terms P_k(ln E) / E, P_k the Legendre polynomials over the range, k from 0 on.
        Kramers' law with any power, (E0 / E)^p, is 1/E times a short series in ln E, and so are
        sums and smooth changes of such laws.
    further
        so many orders more are tried one by one and kept while they lower the deviance by more
        than 25: only where the others clearly fail, so that the choice leaves the errors right.
    powers
        powers of E: 1/E^3 bends the lowest energies, which the orders cannot alone.
    roll_offs_keV
        each energy r adds exp(-E / r) / E: the continuum's fall towards low energies.
    unabsorbed
        one more term 1/E without absorption in the foil: continuum from grid and holder, and what
        a wrong thickness leaves over. Only where absorption is known.
    """

    orders: int = 5
    further: int = 2
    powers: tuple[float, ...] = (-3,)
    roll_offs_keV: tuple[float, ...] = ()
    unabsorbed: bool = True

    @property
    def most_terms(self) -> int:
        """The number of terms with all further ones."""
        fixed = len(self.powers) + len(self.roll_offs_keV) + self.unabsorbed
        return self.orders + self.further + fixed

    def with_one_order_more(self) -> Background:
        """The background with the first further order among those that are always in it."""
        return replace(self, orders=self.orders + 1, further=max(self.further - 1, 0))

    def terms(
        self, energies_keV: FloatArray, efficiency: FloatArray, escaping: FloatArray | None
    ) -> FloatArray:
        """The terms (n, terms) at `energies_keV` (n,), without those of `further`.

        `efficiency` of the detector and the share `escaping` from the foil are (n,), the latter
        None where nothing is known of absorption. The orders come last, so that one more is one
        more column. 1/E and powers are those of E over the geometric mean of the range, which
        keeps them of one size.
        """
        low, high = float(energies_keV[0]), float(energies_keV[-1])
        scaled = energies_keV[:, None] / np.sqrt(low * high)
        place = 2.0 * np.log(energies_keV / low) / np.log(high / low) - 1.0
        polynomials = np.polynomial.legendre.legvander(place, max(self.orders - 1, 0))
        kinds = [
            scaled ** np.array(self.powers, float),
            np.exp(-energies_keV[:, None] / np.array(self.roll_offs_keV)) / scaled,
            polynomials[:, : self.orders] / scaled,
        ]
        response = efficiency if escaping is None else efficiency * escaping
        terms = response[:, None] * np.hstack(kinds)
        if escaping is None or not self.unabsorbed:
            return np.asarray(terms)
        return np.hstack([efficiency[:, None] / scaled, terms])
