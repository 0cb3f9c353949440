"""What the compiler does not see: money never becomes a number, no page makes colours of its own, and nothing is
injected."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deedbook.api.shelf import BUILT
from tests.support.servers import ROOT

CONSOLE = ROOT / "console"
SOURCES = sorted(
    path
    for path in (CONSOLE / "src").rglob("*")
    if path.suffix in (".ts", ".tsx") and path.name != "schema.ts"
)
NUMBERS = re.compile(r"\bNumber\(|\bparseFloat\(|\bparseInt\(|\.toFixed\(|\bNumber\.parse")
MAY_USE_NUMBERS = {
    "src/domain/decimal.ts": "a share for the width of a bar",
    "src/domain/valuation.ts": "hundredths of a percent, bounded",
    "src/domain/count.ts": "blocks, holders and days",
    "src/api/problem.ts": "seconds of a header",
    "src/features/wallet/wallets.ts": "ids of chains",
    "src/features/trading/chart_data.ts": "where on the canvas a price is drawn",
}
"""Where a text becomes a number that is no amount, and why."""
INJECTIONS = (
    "dangerouslySetInnerHTML",
    "innerHTML",
    "eval(",
    "new Function",
    "document.write",
    "insertAdjacentHTML",
)


@pytest.mark.parametrize("path", SOURCES, ids=[path.relative_to(CONSOLE).as_posix() for path in SOURCES])
def test_source_keeps_the_rules_of_the_console(path: Path) -> None:
    name, text = path.relative_to(CONSOLE).as_posix(), path.read_text()
    if name not in MAY_USE_NUMBERS:
        assert not NUMBERS.findall(text), "amounts are text: domain/decimal.ts calculates with them"
    assert not [word for word in INJECTIONS if word in text]
    assert not re.findall(r"(?:bg|text|border)-(?:red|green|blue|gray|slate|zinc|white|black)\b", text), (
        "colours come from the tokens of styles.css"
    )
    assert len(text.splitlines()) <= 300


def test_no_source_may_use_numbers_in_vain() -> None:
    for name in MAY_USE_NUMBERS:
        assert NUMBERS.search((CONSOLE / name).read_text()), f"{name} needs no permission any more"


def test_lock_names_no_host_and_every_version_is_exact() -> None:
    assert "://" not in re.sub(r'"(?:url|funding)": .*', "", (CONSOLE / "package-lock.json").read_text())
    package = json.loads((CONSOLE / "package.json").read_text())
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values()), versions
    assert "ignore-scripts=true" in (CONSOLE / ".npmrc").read_text()


def test_pages_and_contract_agree_when_the_console_is_compiled() -> None:
    """Types from the API's contract, strictly compiled; the tests of what is pure."""
    if not (CONSOLE / "node_modules" / ".deedbook").exists():
        assert os.environ.get("CI") != "true", "the console's packages are not installed: `make dev`"
        pytest.skip("the console's packages are not installed: `make dev`")
    path = f"{ROOT / '.tools' / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=path)
    assert npm is not None
    checked = subprocess.run(
        [npm, "run", "-s", "check"],
        cwd=CONSOLE,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert checked.returncode == 0, (checked.stdout + checked.stderr)[-4000:]
    assert "# fail 0" in checked.stdout


def test_compiling_fails_when_a_page_asks_for_what_the_api_does_not_have(tmp_path: Path) -> None:
    """That drift is seen: the same compiler, the same types, one address that is not there."""
    if not (CONSOLE / "node_modules" / ".deedbook").exists():
        pytest.skip("the console's packages are not installed: `make dev`")
    schema = CONSOLE / "src" / "api" / "schema.ts"
    if not schema.exists():
        pytest.skip("the types are made by `make console`")
    wrong = 'import { api } from "../../src/api/client.ts";\nvoid api.get("/api/v1/nothing-here", {});\n'
    folder = CONSOLE / ".cache" / "drift"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wrong.ts").write_text(wrong)
    config = {"extends": "../../tsconfig.json", "include": ["wrong.ts", "../../src/vite-env.d.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    compiler = CONSOLE / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node", path=f"{ROOT / '.tools' / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert node is not None
    told = subprocess.run(
        [node, str(compiler), "-p", str(folder)], capture_output=True, text=True, timeout=110
    )
    assert told.returncode != 0 and "nothing-here" in told.stdout, told.stdout


def test_registry_names_each_page_once() -> None:
    if not (BUILT / "pages.json").exists():
        pytest.skip("the console is not built: `make console`")
    pages = json.loads((BUILT / "pages.json").read_text())
    assert len({page["path"] for page in pages}) == len(pages) >= 2
