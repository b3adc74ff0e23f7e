"""Parameters of a test that starts programs: a sample of them for the quick suite, all of them for the full one."""

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet


def sampled(values: Sequence[object], number: int) -> list[ParameterSet]:
    """These values as parameters. All but `number` of them, spread evenly, run in the full suite alone."""
    quick = {at * len(values) // number for at in range(number)}
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=() if at in quick else pytest.mark.full)
        for at, value in enumerate(values)
    ]
