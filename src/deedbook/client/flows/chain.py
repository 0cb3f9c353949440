"""The little that is read from a node directly: what an approval by signature (ERC-2612) is made of."""

import json
from typing import Any

from deedbook.client.errors import Unreachable
from deedbook.client.flow import Flow, Request
from deedbook.client.typed_data import WORD, keccak


def permit_terms(rpc_url: str, token: str, owner: str) -> Flow[tuple[bytes, int]]:
    """The domain separator of a token's contract, and the owner's next nonce there.

    Raises:
        Unreachable: the node gives no such answer, or the token takes no approvals by signature.
    """
    separator = yield from _read(rpc_url, token, keccak(b"DOMAIN_SEPARATOR()")[:4])
    holder = bytes.fromhex(owner[2:]).rjust(WORD, b"\0")
    nonce = yield from _read(rpc_url, token, keccak(b"nonces(address)")[:4] + holder)
    return separator, int.from_bytes(nonce, "big")


def _read(rpc_url: str, to: str, data: bytes) -> Flow[bytes]:
    call = {"to": to, "data": "0x" + data.hex()}
    asked: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
    reply = yield Request("POST", rpc_url, {"Content-Type": "application/json"}, json.dumps(asked).encode())
    assert reply is not None, "a request has an answer"
    try:
        word = bytes.fromhex(json.loads(reply.content)["result"][2:])
    except (ValueError, KeyError, TypeError):
        word = b""
    if len(word) != WORD:
        raise Unreachable(f"the node gave no word for {to}: the token takes no approvals by signature")
    return word
