"""Refusals of this room.

Refusal
├─ PriceSourceNotFound   no such source, or it was removed
├─ PriceSourceExists     this place is asked for this pair already
├─ PriceSourceInvalid    its locator or its bounds make no sense
└─ LeaderNameTaken       somebody else is shown under this name
"""

from deedbook.kernel.errors import Kind, Refusal


class PriceSourceNotFound(Refusal):
    code, kind, title = "price_source_not_found", Kind.ABSENT, "There is no such price source"


class PriceSourceExists(Refusal):
    code, kind, title = "price_source_exists", Kind.CONFLICT, "This price source is asked already"


class PriceSourceInvalid(Refusal):
    code, kind, title = "price_source_invalid", Kind.INVALID, "This is no usable price source"


class LeaderNameTaken(Refusal):
    code, kind, title = "leader_name_taken", Kind.CONFLICT, "Somebody else is shown under this name"
