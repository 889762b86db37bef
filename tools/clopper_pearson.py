"""Exact bounds of a share, for tables of how often something was found (Clopper and Pearson, 1934)."""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def clopper_pearson(hits: int, trials: int) -> tuple[float, float]:
    """Exact two-sided bounds of a share, by bisection of the binomial tail."""

    def tail(p: float, low: bool) -> float:
        span = range(hits, trials + 1) if low else range(hits + 1)
        return sum(math.exp(_log_binomial(trials, k, p)) for k in span)

    def solve(low: bool) -> float:
        left, right = 0.0, 1.0
        for _ in range(60):
            middle = (left + right) / 2
            if (tail(middle, low) < (1 - CONFIDENCE) / 2) == low:
                left = middle
            else:
                right = middle
        return (left + right) / 2

    return (0.0 if hits == 0 else solve(True), 1.0 if hits == trials else solve(False))


def _log_binomial(n: int, k: int, p: float) -> float:
    p = min(max(p, 1e-300), 1 - 1e-16)
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return choose + k * math.log(p) + (n - k) * math.log1p(-p)
