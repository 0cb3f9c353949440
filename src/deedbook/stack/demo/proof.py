"""The end of the demo: the ledger equals the vault to the last unit, and every truth holds."""

from typing import Any

from deedbook import truths
from deedbook.stack.demo.story import DemoFailed, Story, Together
from deedbook.wiring import open_worker_resources


async def _count(story: Story) -> None:
    """What each one has, and whether that is what stands on the chain."""
    for who in ("issuer", "alice", "bob"):
        found: dict[str, Any] = await story.call("GET", f"/tokens/balances/{story.users[who]}", who=who)
        story.balances[who] = {entry["symbol"]: entry["total"] for entry in found["data"]}
    since = (await story.call("GET", "/time"))["serverTime"]
    await story.call("POST", "/admin/reconciliation/run", who="operator", status=202, json={})
    story.reconciliation = (
        await story.until(
            "the reconciliation",
            "/admin/reconciliation",
            "officer",
            lambda page: any(run["createdAt"] > since for run in page["data"]),
        )
    )["data"][0]
    if not story.reconciliation["exact"]:
        raise DemoFailed(f"the ledger is not the vault: {story.reconciliation['breaks']}")


async def _prove(story: Story) -> None:
    async with open_worker_resources(story.settings, "demo") as resources:
        story.checked = await truths.check_all(
            resources.db, resources.node, story.settings.SAPPHIRE_CHAIN_ID, resources.signer.address
        )
    broken = [f"{truth.name}: {truth.findings[0]}" for truth in story.checked if not truth.holds]
    if broken:
        raise DemoFailed("; ".join(broken))


CHAPTERS: list[Together] = [
    (("Count what each one holds, on the books and on the chain", _count),),
    (("Prove every truth, on the chain too", _prove),),
]
