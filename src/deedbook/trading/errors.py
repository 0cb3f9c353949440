"""Refusals of this room.

Refusal
├─ PairNotFound        no such pair
└─ PairNotWhole        tick × lot would be a fraction of the quote token's smallest unit
"""

from deedbook.kernel.errors import Kind, Refusal


class PairNotFound(Refusal):
    code, kind, title = "pair_not_found", Kind.ABSENT, "There is no such trading pair"


class PairNotWhole(Refusal):
    code, kind, title = "pair_not_whole", Kind.INVALID, "Tick and lot do not give whole quote units"
