"""The approval desk as one page of HTML without a script. All that came from outside is escaped text."""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Any

from deedbook.permissions.schemas import REASON_CHARS_MAX, ApprovalDetail

PAGE_SIZE = 10

_STYLE = """
:root { color-scheme: light dark; --line: #767676; --soft: #f3f4f6; --warn: #a4161a; --act: #0b5394; }
@media (prefers-color-scheme: dark) {
  :root { --line: #8d8d8d; --soft: #22262b; --warn: #ff8a8a; --act: #8ec5ff; }
}
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem;
  overflow-wrap: anywhere; }
article { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1.5rem; padding: 1rem; }
.columns { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
section { background: var(--soft); border-radius: .25rem; min-width: 0; padding: .5rem .75rem; }
h2, h3 { line-height: 1.25; margin: 0 0 .5rem; }
dl, ul { margin: 0; padding: 0; list-style: none; }
dt { font-weight: 600; }
dd, ul > li { border-left: 2px solid var(--line); margin: 0 0 .5rem; padding-left: .5rem;
  white-space: pre-wrap; }
fieldset { border: 1px solid var(--line); margin: 0 0 .75rem; }
label { display: inline-block; padding: .5rem .75rem .5rem 0; }
.field { margin: 0 0 .75rem; }
.field label { display: block; padding: 0 0 .25rem; font-weight: 600; }
input[type=text], textarea { font: inherit; padding: .5rem; width: 100%; }
input[type=radio] { height: 1.25rem; width: 1.25rem; vertical-align: middle; }
button { font: inherit; min-height: 2.75rem; padding: .5rem 1.25rem; }
a { color: var(--act); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.error { border: 2px solid var(--warn); color: var(--warn); padding: .75rem; }
.done { border: 2px solid var(--act); padding: .75rem; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def page(
    approvals: list[ApprovalDetail],
    *,
    next_cursor: str | None = None,
    notice: str = "",
    errors: list[str] | None = None,
    draft: Mapping[str, str] | None = None,
) -> str:
    """`draft` is a form that was refused: what was typed is shown again."""
    cards = [_card(number, approval, draft or {}) for number, approval in enumerate(approvals, 1)]
    following = ""
    if next_cursor is not None:
        following = f'<nav><a href="/desk?cursor={escape(next_cursor)}">Next approvals</a></nav>'
    title = "Error: approval desk" if errors else "Approval desk"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Approval desk</h1>{_messages(notice, errors or [])}"
        f"{''.join(cards) or '<p>No market is waiting for a decision.</p>'}{following}</main></body></html>"
    )


def _messages(notice: str, errors: list[str]) -> str:
    done = f'<p class="done" role="status">{escape(notice)}</p>' if notice else ""
    if not errors:
        return done
    items = "".join(f"<li>{escape(error)}</li>" for error in errors)
    return f'{done}<div class="error" role="alert"><p>Nothing was decided.</p><ul>{items}</ul></div>'


def _card(number: int, approval: ApprovalDetail, draft: Mapping[str, str]) -> str:
    about = {
        "Market": approval.market_id,
        "Entity": approval.entity_id,
        "Requested at": approval.requested_at.isoformat(),
        "Requested by": approval.requested_by,
        "Sent by": approval.source,
    }
    parts = [
        ("Facts", approval.facts),
        ("Documents", approval.documents),
        ("Issuer", approval.issuer),
        ("Request", about),
    ]
    if approval.other:
        parts.append(("Other", approval.other))
    sections = "".join(f"<section><h3>{heading}</h3>{_value(value)}</section>" for heading, value in parts)
    heading = escape(approval.name or f"Market {approval.market_id}")
    mine = draft if draft.get("market_id") == approval.market_id else {}
    return (
        f'<article aria-labelledby="title-{number}"><h2 id="title-{number}">{heading}</h2>'
        f'<div class="columns">{sections}</div>{_form(number, approval, mine)}</article>'
    )


def _form(number: int, approval: ApprovalDetail, draft: Mapping[str, str]) -> str:
    return (
        '<form method="post" action="/desk/decision" accept-charset="utf-8">'
        f'<input type="hidden" name="market_id" value="{escape(approval.market_id)}">'
        f'<input type="hidden" name="request_event_id" value="{approval.request_event_id}">'
        f"<fieldset><legend>Decision</legend>{_choice(number, 'approved', 'Approve', draft)}"
        f"{_choice(number, 'rejected', 'Reject', draft)}</fieldset>"
        f'<div class="field"><label for="reason-{number}">Reason (required to reject)</label>'
        f'<textarea id="reason-{number}" name="reason" rows="3" maxlength="{REASON_CHARS_MAX}">'
        f"\n{escape(draft.get('reason', ''))}</textarea></div>"
        f'<div class="field"><label for="actor-{number}">Your actor id</label>'
        f'<input id="actor-{number}" name="actor_id" type="text" required maxlength="36" autocomplete="off"'
        f' spellcheck="false" value="{escape(draft.get("actor_id", ""))}"></div>'
        f'<button type="submit" aria-describedby="title-{number}">Send decision</button></form>'
    )


def _choice(number: int, value: str, label: str, draft: Mapping[str, str]) -> str:
    checked = " checked" if draft.get("decision") == value else ""
    name = f"{value}-{number}"
    return (
        f'<input id="{name}" type="radio" name="decision" value="{value}" required{checked}>'
        f' <label for="{name}">{label}</label> '
    )


def _value(value: Any) -> str:
    """Any JSON value as text, lists and term lists."""
    if isinstance(value, dict) and value:
        rows = (f"<dt>{escape(str(name))}</dt><dd>{_value(item)}</dd>" for name, item in value.items())
        return f"<dl>{''.join(rows)}</dl>"
    if isinstance(value, list) and value:
        return f"<ul>{''.join(f'<li>{_value(item)}</li>' for item in value)}</ul>"
    if value in (None, "", [], {}):
        return "none given"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(str(value))
