"""Living orders are found among themselves, however many have come and gone."""

import re

import pytest

from deedbook.infra.database import Database
from deedbook.kernel.ids import new_uuid
from deedbook.trading import feed_views, trade_views


@pytest.mark.parametrize("side", [feed_views._SIDE, trade_views._SIDE])
async def test_a_side_of_the_book_is_read_along_an_index_of_living_orders(db: Database, side: str) -> None:
    async with db.transaction() as tx:
        await tx.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await tx.fetch(f"EXPLAIN {side}", new_uuid(), "BUY"))

    assert re.search(r"(using|on) idx_orders_(pair_)?status\b", plan), plan
