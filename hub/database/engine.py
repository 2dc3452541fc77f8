"""One way to touch the database: units of work run by a writer that commits many of them at once.

A unit is a plain function of a SQLAlchemy `Connection`. The writer takes every unit that waits, runs them in one
transaction and answers each caller after the commit, so the cost of one flush is shared (group commit). A unit that
fails rolls back alone: the batch is then repeated one unit at a time. A unit therefore must have no effect but on
its connection, and returns expected outcomes ("this key was used before") instead of raising them.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from hub.database.absence import find_absence, read_url

_T = TypeVar("_T")
_I = TypeVar("_I")

Unit = Callable[[Connection], _T]
BatchUnit = Callable[[Connection, Sequence[_I]], Sequence[_T]]

_log = logging.getLogger(__name__)
_GATHER_SECONDS = 0.001
_LARGEST_BATCH = 256
_TRIES = 5
_LOG_PAGES = 2000  # 8 MB: a larger log is flushed more slowly at each commit, a smaller one copied more often


class _Job:
    """One waiting unit and the caller to answer."""

    __slots__ = ("future", "item", "loop", "unit")

    def __init__(self, unit: Any, item: Any, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self.unit = unit
        self.item = item
        self.loop = loop
        self.future = future


_ALONE = object()


class Database:
    """A database with one writer and a few readers. Open it inside a running event loop or with `run_now` alone."""

    def __init__(self, url: str, *, durable: bool = True, readers: int = 4) -> None:
        self.url = read_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer_engine = _engine(url, writing=True, durable=durable)
        self._reader_engine = _engine(url, writing=False, durable=durable)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="database-reader")
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: Connection | None = None
        self.repeated_batches = 0
        """How often a failing unit made its whole batch be repeated one by one; rare in good health."""
        self._thread = threading.Thread(target=self._write_forever, name="database-writer", daemon=True)
        self._thread.start()

    async def write(self, unit: Unit[_T]) -> _T:
        """Runs a unit of work and returns its result after the commit. Raises `Unavailable` without a database."""
        result: _T = await self._enqueue(unit, _ALONE)
        return result

    async def write_each(self, unit: BatchUnit[_I, _T], item: _I) -> _T:
        """Like `write`, for a unit that handles many items in one go: all that wait are given to it together."""
        result: _T = await self._enqueue(unit, item)
        return result

    async def read(self, query: Unit[_T]) -> _T:
        """Runs a query on a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    def read_now(self, query: Unit[_T]) -> _T:
        """Runs a query in this thread."""
        try:
            with self._reader_engine.connect() as connection:
                return query(connection)
        except DBAPIError as problem:
            absence = find_absence(problem, self.url, "the database cannot be read at the moment")
            if absence is None:
                raise
            raise absence from problem

    def run_now(self, unit: Unit[_T]) -> _T:
        """Runs a unit of work in this thread, in a transaction of its own (short commands, tests)."""
        with self._writer_engine.begin() as connection:
            return unit(connection)

    async def close(self) -> None:
        """Finishes what waits, then lets go of all connections."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """The same from plain code."""
        self._waiting.put(None)
        self._thread.join()
        self._readers.shutdown()
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    def _enqueue(self, unit: Any, item: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.put(_Job(unit, item, loop, future))
        return future

    def _write_forever(self) -> None:
        closing = False
        while not closing:
            jobs = self._take()
            if None in jobs:
                closing = True
                while not self._waiting.empty():
                    jobs.append(self._waiting.get())
            units = [job for job in jobs if job is not None]
            for start in range(0, len(units), _LARGEST_BATCH):
                self._commit(units[start : start + _LARGEST_BATCH])
            if len(units) > 1 and not closing:
                time.sleep(_GATHER_SECONDS)  # busy: a lone unit never waits, a crowd shares a flush
        if self._writer is not None:
            self._writer.close()

    def _take(self) -> list[_Job | None]:
        """Waits for a unit and takes those behind it as well."""
        jobs = [self._waiting.get()]
        while len(jobs) < _LARGEST_BATCH and not self._waiting.empty():  # nobody else takes from it
            jobs.append(self._waiting.get())
        return jobs

    def _commit(self, jobs: Sequence[_Job]) -> None:
        outcomes = self._attempt(jobs)
        if outcomes is None:
            outcomes = [self._alone(job) for job in jobs]
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for job, outcome in zip(jobs, outcomes, strict=True):
            by_loop.setdefault(job.loop, []).append((job.future, outcome))
        for loop, answers in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, answers)

    def _attempt(self, jobs: Sequence[_Job]) -> list[Any] | None:
        """All jobs in one transaction; None when any of them failed, with nothing kept."""
        try:
            with self._transaction() as connection:
                return _run(connection, jobs)
        except Exception as problem:  # whatever one unit raised: each is repeated alone and answers for itself
            self.repeated_batches += 1
            _log.debug("a batch of %d units is repeated one by one: %r", len(jobs), problem)
            return None

    def _alone(self, job: _Job) -> Any:
        """One job in a transaction of its own: its result, or the exception to raise to its caller."""
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._transaction() as connection:
                    return _run(connection, [job])[0]
            except DBAPIError as problem:
                if not tries_left or not _passes(problem):
                    words = "the database cannot be written at the moment; nothing was stored"
                    absence = find_absence(problem, self.url, words)
                    if absence is None:
                        return _Failed(problem)
                    absence.__cause__ = problem
                    return _Failed(absence)
                if not isinstance(problem, IntegrityError):
                    time.sleep(0.05)
            except Exception as problem:
                return _Failed(problem)
        raise AssertionError("the last try returns")

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction on the writer's own connection, which is given up after any failure."""
        if self._writer is None:
            self._writer = self._writer_engine.connect()
        writer = self._writer
        try:
            with writer.begin():
                yield writer
        except BaseException:
            self._writer = None
            writer.close()
            raise


class _Failed:
    __slots__ = ("problem",)

    def __init__(self, problem: Exception) -> None:
        self.problem = problem


def _run(connection: Connection, jobs: Sequence[_Job]) -> list[Any]:
    """Runs each unit; items of the same batch unit go to it together. Results are in the order of the jobs."""
    groups: dict[Any, list[int]] = {}
    results: list[Any] = [None] * len(jobs)
    for index, job in enumerate(jobs):
        if job.item is _ALONE:
            results[index] = job.unit(connection)
        else:
            groups.setdefault(job.unit, []).append(index)
    for unit, indexes in groups.items():
        for index, result in zip(indexes, unit(connection, [jobs[i].item for i in indexes]), strict=True):
            results[index] = result
    return results


def _answer(answers: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in answers:
        if future.done():  # the caller went away; what it asked for is stored all the same
            continue
        if isinstance(outcome, _Failed):
            future.set_exception(_bearable(outcome.problem))
        else:
            future.set_result(outcome)


def _passes(problem: DBAPIError) -> bool:
    """Whether a second try makes sense: deadlocks, lost connections, a busy file, a twin that another process
    stored meanwhile (the unit will find it)."""
    return problem.connection_invalidated or isinstance(problem, OperationalError | IntegrityError)


def _engine(url: str, *, writing: bool, durable: bool) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url, writing=writing, durable=durable)
    options = "-c statement_timeout=15000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
    if writing:
        options += " -c enable_seqscan=off"  # a plan made while a table was empty would go on reading the whole of it
    if not durable:
        options += " -c synchronous_commit=off"  # the last moments may be lost with the power, nothing else
    return create_engine(
        url,
        pool_size=1 if writing else 4,
        max_overflow=2 if writing else 0,
        pool_pre_ping=not writing,
        isolation_level="READ COMMITTED" if writing else "AUTOCOMMIT",
        connect_args={"options": options, "connect_timeout": 3},
        hide_parameters=True,
    )


def _sqlite_engine(url: str, *, writing: bool, durable: bool) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 5.0}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # pysqlite's own transaction handling would commit at every SAVEPOINT and start transactions too late.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")

    if writing:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _bearable(problem: BaseException) -> BaseException:
    """A future refuses a StopIteration, and whoever waits for it would wait for ever."""
    if not isinstance(problem, StopIteration):
        return problem
    carried = RuntimeError("a unit of work ran out of values")
    carried.__cause__ = problem
    return carried
