"""The ledger's bench, small: every figure is measured, nothing fails, and the books are true afterwards."""

import pytest

from deedbook.bench import ledger
from deedbook.bench.ledger import Plan, ledger_bench


async def test_every_figure_is_measured_when_the_ledger_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SMALL_ROUND_S", 0.2), ("READS", 20), ("PAGES", 5)):
        monkeypatch.setattr(ledger, name, value)
    result = await ledger_bench(Plan(lines=20_000, accounts=20, tokens=2, seed=1))
    assert result.ok, result.notes
    assert result.rate > 0
    assert {entry.name for entry in result.rounds} == {
        "post 1",
        "post 50",
        "post 500",
        "balance",
        *(
            f"statement, {of}, {page} page"
            for of in ("a token", "all tokens")
            for page in ("first", "middle", "last")
        ),
    }
    assert all(entry.count > 0 for entry in result.rounds)
