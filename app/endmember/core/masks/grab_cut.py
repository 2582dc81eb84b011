"""GrabCut of several rectangles that share their colour models (Rother et al. 2004)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from endmember.core.counts.sparse_sums import threads
from endmember.core.counts.spectrum_image import BoolArray
from endmember.core.masks.patches import Box, grown, merged, spread_evenly
from endmember.core.progress import Report

ByteArray = npt.NDArray[np.uint8]

ROUNDS = 5  # at most, in which the colours are learnt
AT_REST = 0.02  # of the uncertain pixels: a round that changes fewer is the last
COARSE = 2  # the colours are learnt with every second row and column
SAMPLES = 2000  # pixels of each kind from which the colours are learnt
MARGIN_PX = 8  # background round a box that is cut along with it: its share in the contrast of a
# patch keeps thin parts of weak contrast in the mask


def grab_cut(
    image: ByteArray, labels: ByteArray, boxes: Sequence[Box], seed: int, report: Report
) -> BoolArray:
    """What is foreground (rows, columns), with colour models shared by all boxes.

    `image` (rows, columns, 3); `labels` (rows, columns) are those of cv2: what is not background
    for certain lies in `boxes`. With a margin of such background round it, no cut passes from one
    box to the next, so each is cut by itself, in several threads. Equal input gives an equal mask.

    Raises
    ------
    Cancelled
        from `report`, between rounds.
    """
    import cv2

    shape = labels.shape[0], labels.shape[1]
    patches = merged([grown(box, MARGIN_PX, shape) for box in boxes])
    patches.sort(key=lambda patch: -patch[2] * patch[3])  # the long ones first: no thread is late
    colours = _Colours(image, cv2)
    labels = labels.copy()
    uncertain = np.count_nonzero(labels == cv2.GC_PR_FGD)
    found = _foreground(labels, cv2)
    colours.begin(found, seed)
    with ThreadPoolExecutor(threads()) as pool:
        for number in range(ROUNDS):
            report(number / (ROUNDS + 1))
            colours.learn(found)
            changed = _cut(colours, labels, patches, COARSE, pool)
            found = _foreground(labels, cv2)
            if changed <= AT_REST * uncertain or not found.any():
                break
        report(ROUNDS / (ROUNDS + 1))
        if found.any():
            colours.learn(found)
        _cut(colours, labels, patches, 1, pool)
    report(1.0)
    return _foreground(labels, cv2)


class _Colours:
    """Five Gaussians each for the colours of background and foreground of an image."""

    def __init__(self, image: ByteArray, cv2: Any) -> None:
        self.image, self.cv2 = image, cv2
        self.background, self.foreground = np.zeros((1, 65)), np.zeros((1, 65))

    def begin(self, foreground: BoolArray, seed: int) -> None:
        """Divide the colours of each kind into five clusters."""
        # the generator belongs to the thread; of 32 bits, which cv2 takes as signed
        self.cv2.setRNGSeed(seed if seed < 2**31 else seed - 2**32)
        self._from_samples(foreground, 0, self.cv2.GC_INIT_WITH_MASK)

    def learn(self, foreground: BoolArray) -> None:
        """Fit each Gaussian anew to the colours that lie nearest to it."""
        self._from_samples(foreground, 1, self.cv2.GC_EVAL)

    def _from_samples(self, foreground: BoolArray, iterations: int, mode: int) -> None:
        """From pixels of each kind spread evenly over the whole map; their own cut is not used."""
        colours = self.image.reshape(-1, 3)
        samples = [colours[spread_evenly(kind, SAMPLES)] for kind in (~foreground, foreground)]
        strip = np.concatenate(samples)[np.newaxis]
        kinds = np.repeat([self.cv2.GC_BGD, self.cv2.GC_PR_FGD], [len(part) for part in samples])
        given = strip, kinds.astype(np.uint8)[np.newaxis], None
        self.cv2.grabCut(*given, self.background, self.foreground, iterations, mode)

    def cut(self, image: ByteArray, labels: ByteArray) -> ByteArray:
        """New labels for a part of the map: the smallest cut, with the colours as they are."""
        labels = np.array(labels, order="C")
        if _uncertain(labels, self.cv2).any():
            models = self.background.copy(), self.foreground.copy()  # other threads read them too
            mode = self.cv2.GC_EVAL_FREEZE_MODEL
            self.cv2.grabCut(np.ascontiguousarray(image), labels, None, *models, 1, mode)
        return labels


def _foreground(labels: ByteArray, cv2: Any) -> BoolArray:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _uncertain(labels: ByteArray, cv2: Any) -> BoolArray:
    return np.asarray((labels == cv2.GC_PR_FGD) | (labels == cv2.GC_PR_BGD))


def _cut(
    colours: _Colours,
    labels: ByteArray,
    patches: Sequence[Box],
    step: int,
    pool: ThreadPoolExecutor,
) -> int:
    """Cut every patch with each `step`th row and column; returns how many labels were changed."""
    parts = [np.s_[y : y + height : step, x : x + width : step] for x, y, width, height in patches]
    found = list(pool.map(lambda part: colours.cut(colours.image[part], labels[part]), parts))
    changed = 0
    for (x, y, width, height), coarse in zip(patches, found, strict=True):
        fine = np.repeat(np.repeat(coarse, step, axis=0), step, axis=1)[:height, :width]
        here = labels[y : y + height, x : x + width]
        uncertain = _uncertain(here, colours.cv2)
        kinds = colours.cv2.GC_PR_FGD, colours.cv2.GC_PR_BGD
        new = np.where(_foreground(fine, colours.cv2), *kinds)
        changed += int(np.count_nonzero(uncertain & (new != here)))
        here[uncertain] = new[uncertain]
    return changed
