"""Chain: what is sent to and seen on the chain. The transaction manager and the platform's contracts."""

from deedbook.chain import errors
from deedbook.chain.nonces import resume
from deedbook.chain.service import (
    bind_network,
    contracts,
    deployed_in,
    find,
    is_requested,
    next_key,
    record_contract,
    request,
    wait_final,
    wait_mined,
)
from deedbook.chain.store import lane_depth, statuses
from deedbook.chain.terms import Call, ChainTransaction, Contract, Log, TxStatus

__all__ = [
    "Call",
    "ChainTransaction",
    "Contract",
    "Log",
    "TxStatus",
    "bind_network",
    "contracts",
    "deployed_in",
    "errors",
    "find",
    "is_requested",
    "lane_depth",
    "next_key",
    "record_contract",
    "request",
    "resume",
    "statuses",
    "wait_final",
    "wait_mined",
]
