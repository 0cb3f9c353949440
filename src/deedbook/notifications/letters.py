"""Letters and short messages: how a notification reads where it is sent. Pure; every value is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

MAX_SHORT = 300
Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Letter:
    """A subject, and the same content as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Told:
    """What a letter says: `details` are labels and values, `signed` the fields of what was signed."""

    title: str
    body: str
    details: Rows = ()
    signed: Rows = ()


_SIGNED = "What you signed"
_WHY = "You get this because of your settings at {site}. Nobody of ours ever asks for a code, a key or a signature."


def letter(told: Told, site: str) -> Letter:
    """The letter that tells this."""
    why = _WHY.format(site=site)
    parts = [told.title, told.body, _plain(told.details)]
    if told.signed:
        parts += [f"{_SIGNED}:", _plain(told.signed)]
    text = "\n\n".join(part for part in (*parts, why) if part) + "\n"
    signed = f"<h2>{_SIGNED}</h2>{_table(told.signed)}" if told.signed else ""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><body style="font-family:sans-serif">'
        f"<h1>{escape(told.title)}</h1><p>{escape(told.body)}</p>{_table(told.details)}{signed}"
        f'<p style="color:#666">{escape(why)}</p></body></html>\n'
    )
    return Letter(_one_line(told.title), text, html)


def short(told: Told) -> str:
    """The same for a telephone."""
    return _one_line(f"Deedbook: {told.title}. {told.body}")[:MAX_SHORT]


def code_told(code: str, minutes: int) -> Told:
    """What brings a code to an address that somebody says is theirs."""
    return Told(
        f"Your code is {code}",
        f"Enter it where you were asked for it. It holds for {minutes} minutes. "
        "If you have not asked for it, do nothing.",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(rows: Rows) -> str:
    width = max((len(label) for label, _ in rows), default=0)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def _table(rows: Rows) -> str:
    cells = "".join(f"<tr><th align=left>{escape(label)}<td>{escape(value)}" for label, value in rows)
    return f"<table cellpadding=4>{cells}</table>" if rows else ""
