"""How is work handed on so that it survives any crash?

Procrastinate on the same PostgreSQL: a job is enqueued in the business transaction that needs it, so both happen or
neither. Delivery is at least once; every handler reads its row first. Procrastinate does not retry the job of a dead
worker by itself: :func:`add_stalled_retry` finds it by the missing heartbeat.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext, PsycopgConnector
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger(__name__)

CENTRE_QUEUE = "centre"
"""Jobs that ``ecg-center jobs`` does: release, deadlines, matching."""

HEARTBEAT_S = 2.0
STALLED_AFTER_S = 10.0
"""A worker silent for five heartbeats is dead; a pre-read takes well under a second."""
STALLED_EVERY = "* * * * * */5"
"""Every five seconds: Procrastinate's cron has the seconds field last."""

POLL_S = 1.0
"""Procrastinate's default of 5 s would show after a lost notification."""
GRACE_S = 10.0

RETRY = procrastinate.RetryStrategy(max_attempts=8, exponential_wait=3)
"""3, 9, 27 … seconds: rides out a restarted database at once and a full disk for hours, then stays as failed."""


def make_app(database_url: str) -> procrastinate.App:
    """The job application on this database; open it (``async with app.open_async()``) to run its worker."""
    conninfo = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    return procrastinate.App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=8))


_enqueuer = procrastinate.App(connector=PsycopgConnector())
"""Never opened: it only phrases the insert that runs on the caller's own connection."""


async def defer(
    session: AsyncSession,
    task: str,
    *,
    queue: str,
    priority: int = 0,
    at: datetime | None = None,
    lock: str | None = None,
    **arguments: Any,
) -> int:
    """Enqueue a job by its task's name within the session's transaction; returns the job's number."""
    connection = await (await session.connection()).get_raw_connection()
    deferrer = _enqueuer.configure_task(
        task,
        allow_unknown=True,
        queue=queue,
        priority=priority,
        schedule_at=at,
        lock=lock,
        connection=connection.driver_connection,
    )
    return await deferrer.defer_async(**arguments)


async def run_worker(app: procrastinate.App, *, slots: Mapping[str, int], name: str) -> None:
    """Do the queues' jobs, so many of each at once, until SIGTERM.

    Also ends when PostgreSQL restarts, so whoever starts it starts it again.
    """
    async with app.open_async():
        running = [
            asyncio.create_task(
                app.run_worker_async(
                    queues=[queue],
                    name=name,
                    concurrency=concurrency,
                    fetch_job_polling_interval=POLL_S,
                    update_heartbeat_interval=HEARTBEAT_S,
                    stalled_worker_timeout=STALLED_AFTER_S,
                    shutdown_graceful_timeout=GRACE_S,
                    delete_jobs="successful",  # the study's timeline is the record; a failed job stays to be looked at
                    install_signal_handlers=number == 0,  # the first hears SIGTERM, the others end with it
                )
            )
            for number, (queue, concurrency) in enumerate(slots.items())
        ]
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in running:
                worker.cancel()
            ended = await asyncio.gather(*running, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


def add_stalled_retry(app: procrastinate.App) -> None:
    """Give the application its periodic hunt for jobs whose worker has died."""

    @app.periodic(cron=STALLED_EVERY)
    @app.task(name="retry_stalled", queue=CENTRE_QUEUE, queueing_lock="retry_stalled", pass_context=True)
    async def retry_stalled(context: JobContext, timestamp: int) -> None:
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
            log.warning("job_of_dead_worker_retried", job=job.id, task=job.task_name)
            await manager.retry_job(job)


REMATCH_TASK = "rematch"
"""A recording was decoded and names an accession number: the centre matches it (``intake.service.rematch``)."""
RELEASE_TASK = "make_document"
"""A report was released: the centre makes and signs its document (``release.service.make_document``)."""
