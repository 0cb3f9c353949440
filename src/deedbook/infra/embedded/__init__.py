"""The servers of the default installation: PostgreSQL, Valkey and a local chain, started by us, without
docker and without the machine's package manager. An installation that names its own servers needs none
of this.

    home = Home.locate()
    with home.held():
        postgres = EmbeddedPostgres(
            home.postgres_data(), 5432, home.secret("postgres"), log_file=home.log_file("postgres")
        )
        await postgres.start()
"""

from deedbook.infra.embedded.anvil import EmbeddedAnvil, find_anvil
from deedbook.infra.embedded.errors import (
    AlreadyRunning,
    BinaryMissing,
    DataOutOfReach,
    EmbeddedError,
    HomeInUse,
    NoAccount,
    NotAHome,
    PasswordMismatch,
    PortTaken,
    StartFailed,
    StateDamaged,
)
from deedbook.infra.embedded.home import Home
from deedbook.infra.embedded.postgres import EmbeddedPostgres
from deedbook.infra.embedded.process import Server
from deedbook.infra.embedded.pyevm import EmbeddedPyEvm
from deedbook.infra.embedded.valkey import EmbeddedValkey

__all__ = [
    "AlreadyRunning",
    "BinaryMissing",
    "DataOutOfReach",
    "EmbeddedAnvil",
    "EmbeddedError",
    "EmbeddedPostgres",
    "EmbeddedPyEvm",
    "EmbeddedValkey",
    "Home",
    "HomeInUse",
    "NoAccount",
    "NotAHome",
    "PasswordMismatch",
    "PortTaken",
    "Server",
    "StartFailed",
    "StateDamaged",
    "find_anvil",
]
