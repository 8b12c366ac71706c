"""The memory that agents share: the embedded store, eight processes, and Claude Flow's 2 000th call.

    python -m bench.coordination.bench_memory [--folder FOLDER]

prints the times; run as a test, one of each is checked. Claude Flow is left out where it is absent.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from mlestar.coordination import ClaudeFlowStore, EmbeddedStore, Versions
from mlestar.coordination.claude_flow.server import find_server
from mlestar.exceptions import ServerError

VALUE = {"score": 0.93, "family": "boosting", "params": {"rate": 0.1, "leaves": [31, 63, 127]}}


def embedded(folder: Path, n: int) -> float:
    """Pairs of store and retrieve a second in one process, the answers compared."""
    store = EmbeddedStore(folder / "memory.db")
    begin = time.perf_counter()
    for i in range(n):
        store.store(f"trial/{i}", VALUE, namespace="run", tags=["trial"])
        assert store.retrieve(f"trial/{i}", namespace="run") == VALUE
    seconds = time.perf_counter() - begin
    store.close()
    return n / seconds


def _count(path: Path, n: int) -> None:
    store = EmbeddedStore(path)
    versions = Versions(store, "counter")
    for _ in range(n):
        versions.update(lambda old: (old or 0) + 1)
    store.close()


def processes(folder: Path, n: int, workers: int = 8) -> tuple[float, int]:
    """Updates of one value a second by all processes together, and how many were lost."""
    path = folder / "shared.db"
    store = EmbeddedStore(path)
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_count, args=(path, n)) for _ in range(workers)]
    for process in started:
        process.start()
    while not store.list():  # until the first has imported and begun
        time.sleep(0.001)
    begin = time.perf_counter()
    for process in started:
        process.join()
    seconds = time.perf_counter() - begin
    lost = workers * n - Versions(store, "counter").latest()[1]
    store.close()
    return workers * n / seconds, lost


def claude_flow(folder: Path, n: int) -> dict[str, float]:
    """Median milliseconds of the first and of the last hundred stores and retrieves of `n` each."""
    with ClaudeFlowStore(folder, timeout=60) as store:
        if store.client.state != "up":
            raise ServerError(store.client.reason)
        times: dict[str, list[float]] = {"store": [], "retrieve": []}
        for i in range(n):
            begin = time.perf_counter()
            store.store(f"trial/{i}", VALUE, namespace="run", tags=["trial"])
            middle = time.perf_counter()
            assert store.retrieve(f"trial/{i}", namespace="run") == VALUE
            times["store"].append(middle - begin)
            times["retrieve"].append(time.perf_counter() - middle)
        assert store.local.waiting() == 0
    return {
        f"{name}, {which} hundred of {n}": 1e3 * statistics.median(part)
        for name, values in times.items()
        for which, part in (("first", values[:100]), ("last", values[-100:]))
    }


def test_the_bench_measures_what_it_says(tmp_path: Path) -> None:
    """Small sizes: answers are checked, no update is lost."""
    assert embedded(tmp_path, 50) > 0
    assert processes(tmp_path, 5, workers=2)[1] == 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.coordination.bench_memory")
    parser.add_argument("--folder", help="where the files lie; the disk matters to Claude Flow")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        rates = []
        for i in range(3):
            (folder / str(i)).mkdir()
            rates.append(embedded(folder / str(i), 5_000))
        print(f"embedded: {max(rates):,.0f} store and retrieve a second (at least 5 000)")
        rate, lost = processes(folder, 250)
        print(f"8 processes: {rate:,.0f} updates of one value a second, {lost} lost (none)")
        try:
            find_server(None, folder)
            for name, ms in claude_flow(folder / "claude-flow", 1_000).items():
                print(f"Claude Flow, {name}: {ms:.1f} ms (at most 10)")
        except ServerError as error:
            print(f"Claude Flow: {error}")


if __name__ == "__main__":
    main()
