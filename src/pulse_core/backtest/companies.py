"""Which variables are computed side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Member = TypeVar("Member")


def companies(members: Iterable[Member], origins: Callable[[Member], int], most: int) -> Iterator[list[Member]]:
    """Yield members of similar length together, as long as they have at most so many origins.

    The longest come first; none is less than half as long as the first of its company, since all are walked to its end,
    and so shorter ones are counted as long as the longest. One alone may have more than `most`.
    """
    company: list[Member] = []
    longest = 0
    for member in sorted(members, key=lambda one: -origins(one)):
        if company and (longest * (len(company) + 1) > most or 2 * origins(member) < longest):
            yield company
            company = []
        if not company:
            longest = origins(member)
        company.append(member)
    if company:
        yield company
