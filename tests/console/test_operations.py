"""Operations: figures that come by themselves, jobs that are parked and retried with reasons, pairs that take cancels
alone."""

from uuid import uuid4

import asyncpg
import pytest
from playwright.async_api import Browser, expect

from deedbook.infra.embedded import EmbeddedPostgres, Home
from tests.console.browser import Visit, look
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUEUE = "housekeeping"


async def failed_job(venue: Venue) -> str:
    """A chore that would do nothing new, as if it had failed for good."""
    home = Home.locate(venue.terminal.environ)
    port = int(venue.terminal.environ["DEEDBOOK_POSTGRES_PORT"])
    server = EmbeddedPostgres(home.postgres_data(), port, home.secret("postgres"))
    connection = await asyncpg.connect(server.dsn())
    try:
        job_id = f"made-for-a-test-{uuid4()}"
        await connection.execute(
            "INSERT INTO jobs (job_id, queue, name, data, status, last_error) "
            "VALUES ($1, $2, 'send-notifications-again', '{}', 'failed', 'the provider is away')",
            job_id,
            QUEUE,
        )
    finally:
        await connection.close()
    return job_id


async def step(visit: Visit, job_id: str, button: str, confirm: str, reason: str) -> None:
    """Open the job, press, say why."""
    job = visit.page.get_by_role("list", name=f"Jobs of {QUEUE}").get_by_role("listitem")
    job = job.filter(has=visit.page.get_by_text(job_id, exact=True))
    if await job.locator("details[open]").count() == 0:
        await job.locator("summary").click()
    await job.get_by_role("button", name=button, exact=True).click()
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_label("Reason").fill(reason)
    await dialog.get_by_role("button", name=confirm).click()
    await expect(dialog).to_have_count(0)


async def test_reason_stands_in_the_timeline_when_a_job_is_parked_and_retried(
    venue: Venue, browser: Browser
) -> None:
    """U-14, and the figures come by the socket."""
    visit = await look(browser, venue.url, session=venue.sessions["operator"])
    await visit.open("/operations")
    await visit.says("Jobs that failed")
    job_id = await failed_job(venue)
    await visit.press(QUEUE)
    await visit.page.get_by_label("Which jobs").select_option("failed")
    await step(visit, job_id, "Park", "Park it", "the provider is away until Monday")
    await visit.page.get_by_label("Which jobs").select_option("parked")
    await step(visit, job_id, "Retry", "Retry it", "the provider is back")
    await visit.page.get_by_label("Which jobs").select_option("retried")
    jobs = visit.page.get_by_role("list", name=f"Jobs of {QUEUE}")
    await expect(jobs.get_by_text(job_id, exact=True)).to_be_visible()
    await visit.open("/audit?action=operations.job_parked")
    record = visit.page.get_by_role("list", name="Record, newest first").get_by_role("listitem")
    await record.first.locator("summary").click()
    await expect(record.first.locator("ins", has_text="the provider is away until Monday")).to_be_visible()
    await visit.open("/audit?action=operations.job_retried")
    await record.first.locator("summary").click()
    await expect(record.first.locator("ins", has_text="the provider is back")).to_be_visible()
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_pair_takes_cancels_alone_when_an_officer_says_why(venue: Venue, browser: Browser) -> None:
    pair = venue.samples["pair"]
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/pair-modes")
    row, dialog = visit.page.get_by_role("row").filter(has_text=pair), visit.page.get_by_role("dialog")
    await visit.press(f"Cancels only: {pair}")
    await visit.says("New orders are refused")
    await dialog.get_by_label("Reason").fill("the valuation is contested")
    await dialog.get_by_role("button", name="Cancels only").click()
    await expect(row).to_contain_text("Paused")
    await visit.press(f"Resume: {pair}")
    await dialog.get_by_label("Reason").fill("a second valuation confirms it")
    await dialog.get_by_role("button", name="Resume").click()
    await expect(row).to_contain_text("Active")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_each_part_is_sound_when_an_operator_looks_at_it(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["operator"], size=(360, 780), theme="light")
    await visit.open("/operations")
    for part, shows in (
        ("Settlement", "99 % within"),
        ("Chain and relay", "Transaction lane"),
        ("Reconciliation", "No break"),
        ("Events from outside", "Which events"),
    ):
        await visit.page.get_by_role("tab", name=part).click()
        await visit.says(shows)
        assert await visit.wider_than_the_screen() == 0, part
        assert await visit.barriers() == []
    visit.nothing_was_amiss()
    await visit.page.context.close()
