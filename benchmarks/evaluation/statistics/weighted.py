"""Statistics of two raters from weighted images, for many sets of weights at once.

`x` is the rater, `y` the reference, `n` the sum of weights. Where a statistic is not defined (no
image, no variance) it is NaN.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .resampling import Floats

_NEGLIGIBLE = 1e-9
"""A sum of squares below it is a rounding error of zero."""


@dataclass(frozen=True)
class Sums:
    """Weighted sums over images, float64 ``[resamples, columns]`` each.

    All statistics but those of ranks and of classes follow from them.
    """

    n: Floats
    x: Floats
    y: Floats
    xx: Floats
    yy: Floats
    xy: Floats
    absolute: Floats

    @classmethod
    def of(cls, weights: Floats, x: Floats, y: Floats) -> "Sums":
        """Sum over images.

        Parameters
        ----------
        weights
            ``[resamples, images]``.
        x, y
            ``[images, columns]``.
        """
        terms = (np.ones_like(x), x, y, x * x, y * y, x * y, np.abs(x - y))
        return cls(*(weights @ term for term in terms))

    def pooled(self) -> "Sums":
        """All columns as one, ``[resamples, 1]``."""
        parts = (self.n, self.x, self.y, self.xx, self.yy, self.xy, self.absolute)
        return Sums(*(part.sum(axis=1, keepdims=True) for part in parts))

    def mean_absolute_error(self) -> Floats:
        """Mean of ``|x - y|``."""
        return divide(self.absolute, self.n)

    def absolute_error_deviation(self) -> Floats:
        """Standard deviation of ``|x - y|`` over images (n - 1)."""
        squares = self._squares() - divide(self.absolute**2, self.n)
        return np.sqrt(divide(np.maximum(squares, 0), self.n - 1))

    def bias(self) -> Floats:
        """Mean of ``x - y``."""
        return divide(self.x - self.y, self.n)

    def limits(self) -> tuple[Floats, Floats]:
        """The 95 % limits of agreement (Bland and Altman, Lancet 1986): bias -+ 1.96 SD."""
        squares = self._squares() - divide((self.x - self.y) ** 2, self.n)
        spread = 1.96 * np.sqrt(divide(np.maximum(squares, 0), self.n - 1))
        return self.bias() - spread, self.bias() + spread

    def pearson(self) -> Floats:
        """Pearson's correlation."""
        covariance = self.xy - divide(self.x * self.y, self.n)
        variances = [
            square - divide(total**2, self.n)
            for square, total in ((self.xx, self.x), (self.yy, self.y))
        ]
        return divide(covariance, np.sqrt(np.maximum(variances[0] * variances[1], 0)))

    def intraclass_correlation(self) -> Floats:
        """ICC(2,1): two-way random effects, absolute agreement, single rater.

        Shrout and Fleiss, Psychological Bulletin 86 (1979) 420; ICC(A,1) of McGraw and Wong 1996.
        """
        grand = divide(self.x + self.y, 2 * self.n)
        between = (self.xx + 2 * self.xy + self.yy) / 2 - 2 * self.n * grand**2
        raters = divide(self.x**2 + self.y**2, self.n) - 2 * self.n * grand**2
        residual = self.xx + self.yy - 2 * self.n * grand**2 - between - raters
        rows = divide(between, self.n - 1)
        error = divide(residual, self.n - 1)
        return divide(rows - error, rows + error + 2 * divide(raters - error, self.n))

    def _squares(self) -> Floats:
        """Sum of ``(x - y) ** 2``."""
        return self.xx - 2 * self.xy + self.yy


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN where the denominator is zero, or a rounding error of it."""
    defined = np.abs(denominator) > _NEGLIGIBLE
    return np.divide(
        numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=defined
    )


def spearman(weights: Floats, x: Floats, y: Floats) -> Floats:
    """Spearman's rank correlation ``[resamples]`` of `x` and `y`, ``[images]``, ties averaged."""
    ranks = [_ranks(weights, values) for values in (x, y)]
    n = weights.sum(axis=1)
    centred = [rank - (n / 2 + 0.5)[:, None] for rank in ranks]  # the mean of any ranks
    products = [
        (weights * centred[first] * centred[second]).sum(axis=1)
        for first, second in ((0, 1), (0, 0), (1, 1))
    ]
    return divide(products[0], np.sqrt(products[1] * products[2]))


def _ranks(weights: Floats, values: Floats) -> Floats:
    """Rank of each image within each resample, from 1; equal values share their mean rank."""
    _, places = np.unique(values, return_inverse=True)
    tied = tied_weights(weights, values)
    ranks = tied.cumsum(axis=1) - tied / 2 + 0.5
    return ranks[:, places]


def tied_weights(weights: Floats, values: Floats) -> Floats:
    """Weight of each different value of `values`, ascending: ``[resamples, values]``."""
    order = np.argsort(values, kind="stable")
    starts = np.unique(values[order], return_index=True)[1]
    return np.add.reduceat(weights[:, order], starts, axis=1)


def area_under_curve(weights: Floats, values: Floats, positive: NDArray[np.bool_]) -> Floats:
    """Area under the ROC curve ``[resamples]``: how often a positive outranks a negative.

    Equal values count half (Hanley and McNeil, Radiology 143 (1982) 29).
    """
    wanted = tied_weights(weights * positive, values)
    others = tied_weights(weights * ~positive, values)
    below = others.cumsum(axis=1) - others / 2
    return divide((wanted * below).sum(axis=1), wanted.sum(axis=1) * others.sum(axis=1))


def confusions(weights: Floats, x: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> Floats:
    """Confusion matrices ``[resamples, columns, classes, classes]``, rows are the reference `y`."""
    cells = (y * classes + x)[:, :, None] == np.arange(classes * classes)
    counts = weights @ cells.reshape(len(x), -1).astype(np.float64)
    return counts.reshape(len(weights), x.shape[1], classes, classes)


def accuracy(confusion: Floats) -> Floats:
    """Share of equal classes; `confusion` is ``[..., classes, classes]``."""
    return divide(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def kappa(confusion: Floats, power: int) -> Floats:
    """Cohen's weighted kappa (Psychological Bulletin 70 (1968) 213).

    Parameters
    ----------
    confusion
        ``[..., classes, classes]``.
    power
        1 weighs disagreements linearly, 2 quadratically.
    """
    classes = np.arange(int(confusion.shape[-1]))
    costs = np.abs(classes[:, None] - classes[None, :]).astype(np.float64) ** power
    rows, columns = confusion.sum(axis=-1), confusion.sum(axis=-2)
    chance = divide(
        (rows[..., :, None] * columns[..., None, :] * costs).sum(axis=(-2, -1)),
        confusion.sum(axis=(-2, -1)),
    )
    return 1 - divide((confusion * costs).sum(axis=(-2, -1)), chance)
