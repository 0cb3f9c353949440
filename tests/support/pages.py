"""What pages of the documentation show, as a script: it is run as it is pasted."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.running import Terminal
from tests.support.servers import ROOT

_BLOCK = re.compile(r'^```(sh|python)(?: title="([\w.]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
STOPS_AT_ERRORS = "set -euo pipefail\n"


def sessions(page: str) -> str:
    """What stands on a page to be pasted while the stack runs: commands, programs, and files that one is to write. What
    starts the platform itself is no session."""
    told = []
    for kind, title, text in _BLOCK.findall((ROOT / page).read_text()):
        if kind == "python":
            target = f"cat > {title}" if title else "python -"
            told.append(f"{target} <<'END_OF_BLOCK'\n{text}END_OF_BLOCK\n")
        elif "deedbook api" not in text and "make " not in text:
            told.append(text)
    return "\n".join(told)


def run_pasted(text: str, terminal: Terminal, directory: Path, within_s: float = 240) -> str:
    """Run a script beside the stack; what it printed.

    Raises:
        AssertionError: a command of it failed; has all that was printed.
    """
    text = text.replace("http://localhost:3000", terminal.api_url)
    text = text.replace('export PATH="$PWD/.venv/bin:$PATH"\n', "").replace(".venv/bin/deedbook", "deedbook")
    programs = f"{Path(sys.executable).parent}"
    environ = terminal.environment(DEEDBOOK_PROFILES=str(directory / "profiles.json"))
    ended = subprocess.run(
        ["bash", "-c", STOPS_AT_ERRORS + text],
        cwd=directory,
        env={**environ, "PATH": f"{programs}:{environ['PATH']}", "DEEDBOOK_HOME": str(terminal.home)},
        capture_output=True,
        text=True,
        timeout=within_s,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
