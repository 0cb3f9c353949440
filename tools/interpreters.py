"""Which of the machine's Pythons `.venv` is made of. Standard library only.

Pythons of one version differ by a fifth in what they do with a processor's time: distributions build theirs with
profile and link-time optimizations, version managers mostly do not, and nothing a Python says of itself tells
reliably which it is. So each is measured, for a fraction of a second, once, when `.venv` is made.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
NAMES = ("python3", "python3.11", "python3.12", "python3.13")
# Another than the one at hand is taken only if it needs so much less: what is less is no more than noise.
WORTH_IT = 0.94
# Each is measured so often, in turns: what else the machine does comes and goes, and slows whoever is at work then.
TURNS = 4

# Dictionaries, text, calls, exceptions, small objects: what handling a request is made of. It prints whose it is and
# the least processor seconds of five rounds.
MEASURE = f"""
import ctypes, ssl, sys, time, zlib

class Item:
    __slots__ = ("value",)
    def __init__(self, value):
        self.value = value
    def told(self):
        return self.value

def work():
    seen, total = {{}}, 0
    for number in range(20000):
        key = str(number)
        seen[key] = (number, key)
        try:
            total += len(seen[key][1]) + Item(number).told()
        except KeyError:
            pass
    return total

def spent():
    before = time.process_time()
    work()
    return time.process_time() - before

if not {OLDEST} <= sys.version_info[:2] <= {NEWEST}:
    sys.exit("not a Python that Deedbook runs on")
print(sys._base_executable, min(spent() for _ in range(5)))
"""


def fastest() -> str:
    """The path of the fastest fitting Python on the PATH; that of this one unless another is clearly faster."""
    measured: dict[str, float] = {}
    for turn in range(TURNS):
        for program in list(measured) if turn else (sys.executable, *on_the_path()):
            told = subprocess.run([program, "-c", MEASURE], capture_output=True, text=True, check=False)
            if told.returncode == 0:
                path, seconds = told.stdout.strip().rsplit(" ", 1)
                path = os.path.realpath(path)
                measured[path] = min(float(seconds), measured.get(path, float(seconds)))
    here, *others = measured
    best = min(others, key=lambda path: measured[path], default=here)
    return best if measured[best] < WORTH_IT * measured[here] else here


def on_the_path() -> list[str]:
    """Programs that may be Pythons, each file once."""
    found: dict[str, str] = {}
    for folder in os.get_exec_path():
        for name in NAMES:
            program = shutil.which(name, path=folder)
            if program is not None:
                found.setdefault(os.path.realpath(program), program)
    return list(found.values())


def made_of(venv: Path) -> str:
    """The folder of the Python that a virtual environment was made of; empty where there is none."""
    try:
        lines = (venv / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("home")), "")
