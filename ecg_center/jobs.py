"""Which jobs does the centre do itself? ``ecg-center jobs``: deadlines, matching, documents, housekeeping."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import procrastinate

from ecg_center.directory import queries as directory_queries
from ecg_center.intake import service as intake
from ecg_center.intake.parts import Parts
from ecg_center.intake.uploads import Uploads
from ecg_center.release import service as release
from ecg_center.release.service import Press, make_document
from ecg_center.settings import CenterSettings
from ecg_center.signing.service import Signatures
from ecg_center.store.blobs import Blobs
from ecg_center.store.deadlines import WAKE_TASK
from ecg_center.store.events import CENTRE
from ecg_center.store.jobs import (
    CENTRE_QUEUE,
    RELEASE_TASK,
    REMATCH_TASK,
    RETRY,
    add_stalled_retry,
    make_app,
    run_worker,
)
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings
from ecg_center.worklist.service import sweep_deadlines

EVERY_MINUTE = "* * * * *"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_HOUR = "17 * * * *"


def add_tasks(app: procrastinate.App, press: Press, uploads: Uploads) -> None:
    """Give the application the centre's tasks."""
    database = press.database

    @app.task(name=RELEASE_TASK, queue=CENTRE_QUEUE, retry=RETRY)
    async def document(report_id: str) -> None:
        await make_document(press, UUID(report_id), lambda: datetime.now(UTC))

    @app.task(name=REMATCH_TASK, queue=CENTRE_QUEUE, retry=RETRY)
    async def rematch(recording_id: str) -> None:
        async with database.transaction(EVERYTHING) as session:
            await intake.rematch(session, UUID(recording_id), CENTRE, datetime.now(UTC))

    @app.task(name=WAKE_TASK, queue=CENTRE_QUEUE, retry=RETRY)
    async def deadline_wake(study_id: str) -> None:
        async with database.transaction(EVERYTHING) as session:
            await sweep_deadlines(session, datetime.now(UTC))

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="deadline_sweep", queue=CENTRE_QUEUE, queueing_lock="deadline_sweep")
    async def deadline_sweep(timestamp: int) -> None:
        async with database.transaction(EVERYTHING) as session:
            await sweep_deadlines(session, datetime.now(UTC))

    @app.periodic(cron=EVERY_FIVE_MINUTES)
    @app.task(name="ask_again", queue=CENTRE_QUEUE, queueing_lock="ask_again")
    async def ask_again(timestamp: int) -> None:
        async with database.transaction(EVERYTHING) as session:
            await intake.ask_again(session, datetime.now(UTC))
            await release.ask_again(session, datetime.now(UTC))

    @app.periodic(cron=EVERY_HOUR)
    @app.task(name="housekeeping", queue=CENTRE_QUEUE, queueing_lock="housekeeping")
    async def housekeeping(timestamp: int) -> None:
        now = datetime.now(UTC)
        await uploads.forget_stale(now)
        async with database.transaction(EVERYTHING) as session:
            await directory_queries.delete_expired_sessions(session, now)

    add_stalled_retry(app)


async def run_jobs(store: StoreSettings, center: CenterSettings) -> None:
    """Do the centre's jobs until told to stop."""
    database = Database(store.database_url, pool_size=center.job_concurrency + 1)
    blobs = Blobs(store.blobs)
    signatures = Signatures(center.signing_passphrase.get_secret_value())
    press = Press(database, blobs, signatures, center.public_url, center.report_remark)
    app = make_app(store.database_url)
    add_tasks(app, press, Uploads(database, Parts(Path(store.uploads)), blobs))
    try:
        await run_worker(app, slots={CENTRE_QUEUE: center.job_concurrency}, name="ecg-center")
    finally:
        await database.close()
