"""A worker process whose one task hangs or finishes: ``job_worker.py <database url> hang|finish <file>``."""

import asyncio
import os
import sys
from pathlib import Path

from ecg_center.store.jobs import CENTRE_QUEUE, add_stalled_retry, make_app, run_worker


def main(url: str, how: str, file: Path) -> None:
    """Do the queue's jobs until killed; the file says that the task has begun or ended."""
    app = make_app(url)

    @app.task(name="slow", queue=CENTRE_QUEUE)
    async def slow() -> None:
        file.write_text(str(os.getpid()))
        if how == "hang":
            await asyncio.sleep(3600)

    add_stalled_retry(app)
    asyncio.run(run_worker(app, slots={CENTRE_QUEUE: 1}, name=f"test-{how}"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
