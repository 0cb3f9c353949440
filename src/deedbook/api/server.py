"""The HTTP server as we run it: WebSockets are told before it closes, and dropped when their client does not read."""

import socket
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from deedbook.api.live.socket import ABORT
from deedbook.api.protocol import Http
from deedbook.infra import memory
from deedbook.infra.settings import Settings

MAX_MESSAGE_BYTES = 16_384
PING_S = 20.0
PONG_S = 40.0
"""After a ping: so that a client is dropped a minute after it was last heard."""


class Socket(WebSocketsSansIOProtocol):
    """Lets the application, and the lack of a pong, end a connection at once: `close` would wait for ever until a
    client that does not read takes what is buffered for it."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[ABORT] = {"abort": self.transport.abort}

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


class Server(uvicorn.Server):
    """Says goodbye to WebSockets before it closes them."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        memory.settle()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        app = self.config.app
        hub = getattr(app.state, "hub", None) if isinstance(app, FastAPI) else None
        if hub is not None:
            await hub.close()
        await super().shutdown(sockets)


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until told to stop."""
    Server(config(app, settings.HOST, settings.PORT, loop="uvloop")).run()


def config(app: FastAPI, host: str, port: int, **more: Any) -> uvicorn.Config:
    """The one configuration, for tests too."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Http,
        ws=Socket,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is read in one place only, and from TRUSTED_PROXIES alone
        timeout_graceful_shutdown=15,
        limit_concurrency=2000,
        **more,
    )
