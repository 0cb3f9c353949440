"""The console's built files, kept in memory: what is asked for is looked up among them, and no path is ever opened.

`make console` puts them into the package. They need not be there: everything that the console does, the API does too.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

BUILT = Path(__file__).resolve().parents[1] / "console" / "static"
INDEX = "index.html"
HASHED = "assets/"
"""Files whose names change with what is in them."""
_WORTH_PACKING = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json"})


@dataclass(frozen=True)
class Piece:
    """A file as it is answered."""

    content: bytes
    media_type: str
    etag: str
    unchanging: bool

    @property
    def is_page(self) -> bool:
        return self.media_type.startswith("text/html")

    @cached_property
    def packed(self) -> bytes | None:
        """The same in gzip, where that is worth it; made once, when somebody first takes it."""
        plain = self.media_type.split(";")[0]
        return gzip.compress(self.content, 9, mtime=0) if plain in _WORTH_PACKING else None


class Shelf:
    """Every piece by its path below `/app`."""

    def __init__(self, pieces: dict[str, Piece]) -> None:
        self._pieces = pieces

    @classmethod
    def read(cls, directory: Path = BUILT) -> "Shelf":
        """All that was built; empty where nothing was."""
        found = (path for path in sorted(directory.rglob("*")) if path.is_file())
        named = ((path.relative_to(directory).as_posix(), path) for path in found)
        return cls({name: _piece(name, path) for name, path in named if not Path(name).name.startswith(".")})

    def find(self, path: str) -> Piece | None:
        """The file of this name; for a page of the console, which only the browser knows, the one that shows it. `None`
        where nothing was built, or a file is asked for that is not there."""
        piece = self._pieces.get(path)
        if piece is not None or "." in path.rsplit("/", 1)[-1] or path.startswith(HASHED):
            return piece
        return self._pieces.get(INDEX)


def _piece(name: str, path: Path) -> Piece:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Piece(
        content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"', name.startswith(HASHED)
    )
