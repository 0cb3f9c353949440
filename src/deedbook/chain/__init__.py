"""Chain: what is sent to and seen on the chain. The transaction manager and the platform's contracts."""

from deedbook.chain import errors
from deedbook.chain.service import bind_network, contracts, find, record_contract, request, wait_final
from deedbook.chain.terms import Call, ChainTransaction, Contract, TxStatus

__all__ = [
    "Call",
    "ChainTransaction",
    "Contract",
    "TxStatus",
    "bind_network",
    "contracts",
    "errors",
    "find",
    "record_contract",
    "request",
    "wait_final",
]
