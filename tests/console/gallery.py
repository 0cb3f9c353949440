"""Pages that show the pictures: one for the repository, one for whoever keeps what a build made."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WHO = {"public": "everybody", "signed-in": "whoever is signed in"}
_HEAD = """# Every screen

As `make screenshots` takes them of the demo, with some work on every desk: what one sees at first, half of them
dark, half light. Whole pages at both sizes and in both themes stand in `screenshots/` then, with an `index.html` to
look through.
[The console beside others](console-comparison.md) says what they lack.
"""
_STYLE = """body{font:14px system-ui;margin:2rem;background:#f3f5f8;color:#10151d}
section{display:flex;flex-wrap:wrap;gap:1rem;align-items:start;margin-bottom:2rem}
figure{margin:0}img{max-height:480px;max-width:640px;border:1px solid #d9dee6}"""


def gallery(pages: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """`docs/screens.md`: each page on a desktop and a phone."""
    parts = [_HEAD]
    for page in pages:
        title, name = page["title"], names[page["path"]]
        parts.append(f"## {title}: `{page['path']}`\n\nFor {who(page)}.\n")
        shown = [f"![{title}, on a {size}](pictures/{name}-{size}.webp)" for size in ("desktop", "phone")]
        parts.append("\n".join(shown) + "\n")
    return "\n".join(parts)


def who(page: Mapping[str, Any]) -> str:
    """Who may open it, in words."""
    access = page["access"]
    if isinstance(access, str):
        return _WHO[access]
    return ", ".join(access[:-1]) + f" and {access[-1]}" if len(access) > 1 else str(access[0])


def index(
    pages: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    sizes: Sequence[str],
    themes: Sequence[str],
) -> str:
    """`screenshots/index.html`: every picture that was taken, whole."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Every screen</title><style>{_STYLE}</style>"]
    for page in pages:
        parts.append(f"<h2>{escape(page['title'])} <code>{escape(page['path'])}</code></h2><section>")
        for file in (f"{names[page['path']]}-{size}-{theme}.png" for size in sizes for theme in themes):
            picture = f'<a href="{file}"><img loading="lazy" src="{file}" alt=""></a>'
            parts.append(f"<figure>{picture}<figcaption>{file}</figcaption></figure>")
        parts.append("</section>")
    return "\n".join(parts)
