"""What a count of errors allows one to promise.

`evaluate` has the two-sided interval for reports; the two rooms share no door, and the line of scipy that both need is
no reason to open one.
"""

from __future__ import annotations

from scipy.special import betaincinv


def upper_bound(errors: int, n: int, delta: float) -> float:
    """Largest error rate that `errors` among `n` leave possible, one-sided (Clopper and Pearson 1934).

    The true rate is below it with confidence 1 - `delta`, if the `n` are independent: of as many people. Nobody, or
    errors alone, give 1.

    Raises
    ------
    ValueError
        if not 0 <= errors <= n, or delta is not between 0 and 1.
    """
    if not 0 <= errors <= n:
        raise ValueError(f"There must be 0 to n = {n} errors, got {errors}")
    _between(delta, "delta")
    return 1.0 if errors == n else float(betaincinv(errors + 1, n - errors, 1 - delta))


def labels_needed(alpha: float, delta: float = 0.05, errors: int = 0) -> int:
    """Decided people whose labels allow the promise of an error rate of at most `alpha` with confidence 1 - `delta`.

    With no error seen: 299 for 1 %, 149 for 2 %, 59 for 5 %, 29 for 10 % (at 95 %). It counts scans that are decided
    in one direction, not all that are labelled.

    Raises
    ------
    ValueError
        if alpha or delta is not between 0 and 1, or errors is negative.
    """
    _between(alpha, "alpha")
    _between(delta, "delta")
    if errors < 0:
        raise ValueError(f"errors must not be negative, got {errors}")
    low, high = errors, errors + 1
    while upper_bound(errors, high, delta) > alpha:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper_bound(errors, middle, delta) <= alpha else (middle, high)
    return high


def _between(value: float, name: str) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value}")
