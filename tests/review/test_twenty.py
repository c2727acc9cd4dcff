"""Twenty people at once, and a server that is killed under them: no decision lost, none doubled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import httpx
from sqlalchemy import select

from brainsift.store.database import Database
from brainsift.store.reviews.chain import check_trail
from brainsift.store.reviews.schema import ReviewRow
from brainsift.store.reviews.verdicts import check_cases
from tests.review.parts import Person, let_in, make_study, new_key
from tests.review.process import port_to_keep, served

PEOPLE, EACH = 20, 5
WAIT_S = 300.0
"""Far above what anything here takes: a slow disk fails no test, a hang ends."""

ALONE = ("--second-share", "0", "--catch-share", "0")


def options(url: str | None) -> list[str]:
    """Where the study is kept."""
    return [*ALONE, *([] if url is None else ["--db", url])]


def rows(output: Path, url: str | None) -> list[Any]:
    """The trail: scan and reviewer of each row."""
    with Database(output, url) as database, database.engine.connect() as connection:
        query = select(ReviewRow.scan, ReviewRow.reviewer, ReviewRow.key, ReviewRow.kind).order_by(ReviewRow.position)
        return list(connection.execute(query))


def require_sound(output: Path, url: str | None) -> None:
    """The trail is whole, and the states that are kept are those that it gives."""
    with Database(output, url) as database:
        assert check_trail(database).fault is None
        assert check_cases(database) is None


@contextmanager
def all_at_once(work: list[Any]) -> Iterator[None]:
    """Run functions in threads that start together; a fault of one is one of the test."""
    faults: list[BaseException] = []
    barrier = Barrier(len(work))

    def run(one: Any) -> None:
        try:
            barrier.wait()
            one()
        except BaseException as error:
            faults.append(error)

    threads = [Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield
    except BaseException:
        barrier.abort()
        raise
    for thread in threads:
        thread.join()
    assert not faults, faults[0]


def test_twenty_people_read_every_scan_once(url: str | None, tmp_path: Path) -> None:
    output = tmp_path / "results"
    make_study(output, [{"quality": "refer"}] * (PEOPLE * EACH), url)
    tokens = [let_in(output, f"r{n}", url=url) for n in range(PEOPLE)]
    seen: list[list[int]] = [[] for _ in tokens]

    with served(output, *options(url)) as server:

        def read(number: int) -> None:
            with httpx.Client(base_url=server.base, timeout=WAIT_S, verify=False) as client:
                person = Person(client, tokens[number])
                for _ in range(EACH):
                    item = person.hand(size=1)[0]
                    seen[number].append(item["scan_id"])
                    assert person.decide(item)["repeated"] is False

        with all_at_once([lambda number=number: read(number) for number in range(PEOPLE)]):
            pass
        assert server.stop() == 0
        with Database(output, url) as database:
            trail = check_trail(database)
        assert server.last_words.splitlines()[-1] == f"{PEOPLE * EACH}:{trail.head}"
    assert max(Counter(scan for own in seen for scan in own).values()) == 1
    stored = Counter((row.scan, row.kind) for row in rows(output, url))
    assert len(stored) == PEOPLE * EACH
    assert set(stored.values()) == {1}
    require_sound(output, url)


def test_a_kill_in_the_middle_loses_no_key_press_and_doubles_none(tmp_path: Path) -> None:
    """Four people press keys and send each again until it is answered, while the server dies twice."""
    output = tmp_path / "results"
    make_study(output, [{"quality": "refer"}] * 32)
    tokens = [let_in(output, f"r{n}") for n in range(4)]
    pressed: list[list[str]] = [[] for _ in tokens]
    with ExitStack() as stack:
        stop = stack.enter_context(stopping())
        port = port_to_keep()
        first = stack.enter_context(served(output, *ALONE, port=port))
        people = [
            Person(stack.enter_context(httpx.Client(base_url=first.base, timeout=WAIT_S, verify=False)), token)
            for token in tokens
        ]

        def read(number: int) -> None:
            for _ in range(8):
                hand = insist(people[number], "/api/tasks/quality/lists/review/hand", {"size": 1}, stop)
                key = new_key()
                pressed[number].append(key)
                body = {"key": key, "outcome": "answer", "choice": "good", "seconds": 1.0}
                insist(people[number], f"/api/items/{hand['items'][0]['item']}/decision", body, stop)

        with all_at_once([lambda number=number: read(number) for number in range(4)]):
            wait_for(output, 6)
            first.kill()
            second = stack.enter_context(served(output, *ALONE, port=port))
            wait_for(output, 16)
            second.kill()
            stack.enter_context(served(output, *ALONE, port=port))
    stored = rows(output, None)
    assert sorted(row.key for row in stored) == sorted(key for own in pressed for key in own)
    assert Counter(row.scan for row in stored).most_common(1)[0][1] == 1
    assert len(stored) == 32
    require_sound(output, None)


def insist(person: Person, path: str, body: dict[str, Any], stop: Event) -> Any:
    """Post until the server answers, with the same body, as the page does."""
    while not stop.is_set():
        try:
            answer = person.client.post(path, json=body)
        except httpx.TransportError:
            time.sleep(0.02)
            continue
        if answer.status_code < 500:
            assert answer.status_code == 200, answer.text
            return answer.json()
    raise AssertionError("the test ended before the server answered")


@contextmanager
def stopping() -> Iterator[Event]:
    """Set at the end, however the test ends, so that nobody insists for ever."""
    stop = Event()
    try:
        yield stop
    finally:
        stop.set()


def wait_for(output: Path, count: int) -> None:
    """Until that many rows are stored."""
    deadline = time.monotonic() + WAIT_S
    with Database(output) as database:
        while check_trail(database).events < count:
            assert time.monotonic() < deadline, f"{count} rows were not stored within {WAIT_S:.0f} s"
            time.sleep(0.01)
