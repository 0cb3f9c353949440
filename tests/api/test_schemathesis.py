"""Schemathesis over the whole contract with each kind of credential (I-10): no fault, no answer that the OpenAPI
document does not name, nothing taken that it forbids, nothing refused that it allows.

For a long run by hand: raise `EXAMPLES` and leave out the seed. What the contract cannot say is in schemathesis.toml.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedValkey
from tests.api.loopback import serving
from tests.support.world import World, open_world

EXAMPLES = {"officer": 3, "issuer": 1, "investor": 1, "anonymous": 1}
"""What only an officer passes is tried most; of the others, that each route keeps its contract towards them too."""
COMMAND = [
    str(Path(sys.executable).parent / "st"),
    "--config-file",
    str(Path(__file__).parent / "schemathesis.toml"),
]
OPTIONS = ["--mode=all", "--seed=7", "--no-shrink", "--no-color",
           "--generation-database=none"]  # fmt: skip


async def _bearer(world: World, who: str) -> list[str]:
    match who:
        case "anonymous":
            return []
        case "issuer":
            user = await world.issuer()
        case "investor":
            user = await world.user()
        case _:
            user = await world.user(Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR)
    return ["--header", f"Authorization: Bearer {user.access_token}"]


PHASES = {
    "officer": "examples,coverage,fuzzing,stateful",
    "issuer": "examples,fuzzing",
    "investor": "fuzzing",
    "anonymous": "fuzzing",
}


@pytest.mark.timeout(
    900
)  # four runs over all operations, on a machine of two cores that others keep busy too
async def test_the_contract_is_kept_when_schemathesis_tries_it_with_each_credential(
    dsn: str, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    async with (
        open_world(dsn, valkey.url(), RATE_LIMIT_WEBHOOKS=1_000_000) as world,
        serving(world) as address,
    ):
        world.permissions.allow_all = True
        await world.register(await world.issuer())

        async def attempt(who: str, phases: str) -> str:
            options = [
                *OPTIONS,
                f"--max-examples={EXAMPLES[who]}",
                f"--phases={phases}",
                *await _bearer(world, who),
            ]
            run = await asyncio.create_subprocess_exec(
                *COMMAND, "run", f"{address}/openapi.json", *options, cwd=tmp_path, stdout=-1, stderr=-2
            )
            told, _ = await run.communicate()
            return f"{who}: {told.decode()[-20_000:]}" if run.returncode else ""

        failed = await asyncio.gather(*(attempt(who, phases) for who, phases in PHASES.items()))
    assert not any(failed), "\n".join(failed)
