"""Directories that every account may enter (pytest's own are closed), gone when the test is over."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbook.infra.embedded import BinaryMissing, find_anvil

from .support import CONTRACTS


@pytest.fixture
def open_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="deedbook-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def closed_dir(open_dir: Path) -> Path:
    directory = open_dir / "closed"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def _anvil() -> None:
    try:
        find_anvil(CONTRACTS)
    except BinaryMissing as error:
        pytest.skip(str(error))
