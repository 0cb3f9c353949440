"""A release carries the console: a wheel without it would show nobody anything, and nobody would notice before."""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RequireConsole(BuildHookInterface):  # type: ignore[type-arg]  # what it is configured with is of no interest
    """Refuses to build a release, which `make release` says that it is, before `make console`. Who installs a bare
    clone with Python alone gets everything else."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        built = Path(self.root) / "src" / "deedbook" / "console" / "static" / "index.html"
        if os.environ.get("DEEDBOOK_RELEASE") and not built.exists():
            raise SystemExit("run `make console` first: a release carries the built console")
