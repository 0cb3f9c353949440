"""The AsyncAPI document of the socket, made from the models by which it reads and writes."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from deedbook import __version__
from deedbook.api.live.messages import HEARD, SENT

_REF = "#/components/schemas/{model}"
EXAMPLES: dict[str, dict[str, Any]] = {
    "Subscribe": {"op": "subscribe", "id": 1, "channel": "book", "market": "LUXAPT-USDC", "depth": 50},
    "Subscribed": {"type": "subscribed", "id": 1, "channel": "book", "market": "LUXAPT-USDC"},
    "BookMessage": {
        "type": "update",
        "channel": "book",
        "market": "LUXAPT-USDC",
        "prevSeq": 4711,
        "seq": 4712,
        "ts": "2026-01-05T09:30:00.000000Z",
        "bids": [["1000", "0"]],
        "asks": [],
        "checksum": 0,
    },
    "Heartbeat": {"type": "heartbeat", "ts": "2026-01-05T09:30:01.000000Z", "n": 3049},
    "ServerShutdown": {"type": "serverShutdown", "reconnectAfterMs": 1500},
    "Cancel": {"op": "cancel", "id": 8, "orderId": "01907c5e-0000-7000-8000-000000000000"},
}


def document(public_url: str, address: str) -> dict[str, Any]:
    """The document, for a server that others reach at this URL."""
    _, told = models_json_schema(
        [(model, "validation") for model in (*SENT, *HEARD)], ref_template=_REF, by_alias=True
    )
    models = (*SENT, *HEARD)
    reached = urlsplit(public_url)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Deedbook feeds",
            "version": __version__,
            "description": "One socket: public and private channels, orders and cancels.",
        },
        "servers": {
            "api": {
                "host": reached.netloc,
                "pathname": reached.path or "/",
                "protocol": "wss" if reached.scheme == "https" else "ws",
            }
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": address,
                "messages": {
                    model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models
                },
            }
        },
        "operations": {
            "receive": _operation("receive", "What a client may send", SENT),
            "send": _operation("send", "What a client may hear", HEARD),
        },
        "components": {
            "messages": {model.__name__: _message(model) for model in models},
            "schemas": told["$defs"],
        },
    }


def _operation(action: str, summary: str, models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    messages = [{"$ref": f"#/channels/socket/messages/{model.__name__}"} for model in models]
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "summary": summary,
        "messages": messages,
    }


def _message(model: type[BaseModel]) -> dict[str, Any]:
    name = model.__name__
    told: dict[str, Any] = {
        "name": name,
        "summary": " ".join((model.__doc__ or "").split()),
        "payload": {"$ref": _REF.format(model=name)},
    }
    if name in EXAMPLES:
        told["examples"] = [{"payload": EXAMPLES[name]}]
    return told
