"""Whoever changes something says what it was before and what it is after, wherever a fact is told."""

import ast
from collections.abc import Iterator
from pathlib import Path

import deedbook

SOURCE = Path(deedbook.__file__).parent
WITHOUT = {"infra/bullmq.py"}
"""Not facts: the job library's own signals are called so too."""


def tellings() -> Iterator[tuple[str, ast.Call]]:
    """Every place where a fact is told."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name in WITHOUT:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "emit"
            ):
                yield f"{name}:{node.lineno}", node


def test_every_fact_is_told_with_what_was_before_and_after() -> None:
    found = dict(tellings())
    assert len(found) > 20
    bare = [
        place
        for place, call in found.items()
        if not {"before", "after"} <= {keyword.arg for keyword in call.keywords}
    ]
    assert bare == []
