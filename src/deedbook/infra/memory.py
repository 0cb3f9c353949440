"""Python's garbage collector, spared what a process keeps for good: looking through it all again and again costs a
tenth of the processor under load, and each look stops everything for as long as a hundred orders take."""

import gc

YOUNG = 20_000
"""Objects between two looks at the young ones; nearly all of ours go by themselves."""


def settle() -> None:
    """What is there now stays: modules, routes, rebuilt books. To be called when a process begins its real work, and
    when it has taken on more; what it has dropped since goes."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
