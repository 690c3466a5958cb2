"""Put a service on meshguard under load: workers of several threads, and good, bad, slow and huge uploads all at once.

    python benchmarks/service.py --seconds 120
    python benchmarks/service.py --workers 2 --threads 4 --seconds 20 --load 0.3

Each worker is a process, started by `spawn`, whose threads take uploads from one queue. Uploads arrive at random times
(a Poisson process), so often that they keep a share of the processors busy, which `--load` sets; how much work each
kind is follows from its lone time, which is measured first, in the same service without any other request. What counts
is the time from an upload's arrival to its answer, waiting in the queue included, as a multiple of the lone time.

- good: a clean arch of 16,000 faces is validated
- repaired: an arch with a hole, a needle and a floating piece is repaired
- large: a clean arch of 150,000 faces is validated
- bad: bytes that are no mesh, refused
- huge: a file of three million facets, more than the budget allows, refused
- slow: 15,000 triangles that all cross each other, ended by the budget

At the end all threads are given slow uploads without a time limit, and every worker gets SIGTERM. The exit code is 1
where something that is promised did not hold.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import queue
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

SHARES = {"good": 0.45, "repaired": 0.2, "large": 0.1, "bad": 0.025, "huge": 0.025, "slow": 0.2}
"""The share of all work that each kind is, by its lone time."""

SLOW_S = 1.0
"""Seconds that the budget allows: many times what a good upload needs."""

MOST_WAIT = 3.0
"""A good upload may take so many times its lone time."""

MOST_STOP_S = 2.0
"""A worker stops so soon after SIGTERM."""

EXPECTED = {
    "good": "ok",
    "repaired": "clean",
    "large": "ok",
    "bad": "ReadError",
    "huge": "BudgetExceeded",
    "slow": "BudgetExceeded",
}


class Upload(NamedTuple):
    """A request: its kind, its file, and when it arrived (seconds of the system's monotonic clock)."""

    kind: str
    path: str
    arrived: float
    limited: bool = True


class Answer(NamedTuple):
    """What came of an upload, and when."""

    upload: Upload
    said: str
    answered: float


class Stopped(Exception):  # noqa: N818
    """The worker was asked to stop."""


def write_uploads(folder: Path) -> dict[str, str]:
    """One file of each kind."""
    import numpy as np

    import meshguard
    from meshguard.phantoms import mutate

    paths = {kind: str(folder / f"{kind}.stl") for kind in SHARES}
    meshguard.save(meshguard.phantom(faces=16_000), paths["good"])
    broken, _ = mutate(meshguard.phantom(faces=16_000), "hole", "needle", "floating_piece")
    meshguard.save(broken, paths["repaired"])
    meshguard.save(meshguard.phantom(faces=150_000), paths["large"])
    Path(paths["bad"]).write_bytes(b"\x07" * 5000)
    with Path(paths["huge"]).open("wb") as file:
        file.write(bytes(80) + (3_000_000).to_bytes(4, "little"))
        file.truncate(84 + 50 * 3_000_000)
    corners = np.random.default_rng(0).uniform(-30, 30, (45_000, 3))
    meshguard.save(meshguard.Mesh(vertices=corners, faces=np.arange(45_000).reshape(-1, 3)), paths["slow"])
    return paths


def serve(uploads: multiprocessing.Queue[Upload], answers: multiprocessing.Queue[Answer], threads: int) -> None:
    """A worker: threads that answer uploads until SIGTERM comes."""
    import meshguard

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def until_stopped(_done: int, _total: int, _what: str) -> None:
        if stopping.is_set():
            raise Stopped

    def answer(upload: Upload) -> str:
        budget = meshguard.Budget(max_faces=1_000_000, max_seconds=SLOW_S if upload.limited else None)
        try:
            if upload.kind == "repaired":
                return "clean" if meshguard.repair(upload.path, budget=budget, progress=until_stopped).clean else "not"
            report = meshguard.validate(upload.path, budget=budget, progress=until_stopped)
        except meshguard.MeshGuardError as error:
            return type(error).__name__
        return "ok" if report.ok else "not ok"

    def work() -> None:
        while not stopping.is_set():
            try:
                upload = uploads.get(timeout=0.1)
            except queue.Empty:
                continue
            try:
                answers.put(Answer(upload, answer(upload), time.monotonic()))
            except Stopped:
                return

    sys.setswitchinterval(0.0005)  # a short call asks for the interpreter often, and waits so long for it each time
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    answers.cancel_join_thread()
    gc.freeze()  # else Python goes through all that is loaded on its way out: a quarter of a second of a processor


@dataclass
class Service:
    """Workers, the uploads that wait for them, and their answers."""

    workers: list[SpawnProcess]
    uploads: multiprocessing.Queue[Upload]
    answers: multiprocessing.Queue[Answer]
    most_bytes: dict[int, int] = field(default_factory=dict)

    @classmethod
    def started(cls, workers: int, threads: int) -> Service:
        """A service whose workers are starting."""
        os.environ["MESHGUARD_THREADS"] = "1"  # a request stays on its thread
        context = multiprocessing.get_context("spawn")
        uploads: multiprocessing.Queue[Upload] = context.Queue()
        answers: multiprocessing.Queue[Answer] = context.Queue()
        processes = [context.Process(target=serve, args=(uploads, answers, threads)) for _ in range(workers)]
        for process in processes:
            process.start()
        return cls(processes, uploads, answers)

    def send(self, kind: str, path: str, *, limited: bool = True) -> None:
        """An upload arrives."""
        self.uploads.put(Upload(kind, path, time.monotonic(), limited))

    def answer(self) -> Answer:
        """The next answer; an error where none comes in a minute."""
        return self.answers.get(timeout=60)

    def sample_memory(self) -> None:
        """Note the resident memory of each worker."""
        for worker in self.workers:
            pages = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1])
            found = pages * os.sysconf("SC_PAGE_SIZE")
            self.most_bytes[worker.pid or 0] = max(found, self.most_bytes.get(worker.pid or 0, 0))


def lone_times(service: Service, paths: dict[str, str], rounds: int) -> dict[str, float]:
    """Median seconds of each kind when nothing else is asked of the service."""
    lone = {}
    for kind, path in paths.items():
        seconds = []
        for _ in range(rounds):
            service.send(kind, path)
            answer = service.answer()
            seconds.append(answer.answered - answer.upload.arrived)
        lone[kind] = statistics.median(seconds)
    return lone


def under_load(
    service: Service, paths: dict[str, str], lone: dict[str, float], seconds: float, load: float
) -> list[Answer]:
    """All answers to the uploads that arrive within some seconds."""
    draw = random.Random(0)  # noqa: S311
    processors = len(os.sched_getaffinity(0))
    rates = {kind: load * processors * share / max(lone[kind], 0.05) for kind, share in SHARES.items()}
    arrivals = []
    for kind, rate in rates.items():
        at = draw.expovariate(rate)
        while at < seconds:
            arrivals.append((at, kind))
            at += draw.expovariate(rate)
    answers: list[Answer] = []
    start, sampled = time.monotonic(), 0.0
    arrivals.sort(reverse=True)
    waiting = len(arrivals)
    while waiting:
        now = time.monotonic() - start
        while arrivals and arrivals[-1][0] <= now:
            kind = arrivals.pop()[1]
            service.send(kind, paths[kind])
        if now - sampled > 0.2:
            service.sample_memory()
            sampled = now
        try:
            pause = min(0.2, max(0.001, arrivals[-1][0] - now)) if arrivals else 0.2
            answers.append(service.answers.get(timeout=pause))
            waiting -= 1
        except queue.Empty:
            if now > 2 * seconds + 60:
                break
    return answers


def stop(service: Service, paths: dict[str, str], threads: int) -> list[float]:
    """Seconds from SIGTERM to the end of each worker, while all their threads are busy."""
    for _ in range(len(service.workers) * threads):
        service.send("slow", paths["slow"], limited=False)
    time.sleep(3.0)
    start = time.monotonic()
    for worker in service.workers:
        worker.terminate()
    seconds = []
    for worker in service.workers:
        worker.join(max(0.1, start + 20 - time.monotonic()))
        if worker.exitcode is None:
            worker.kill()
        seconds.append(time.monotonic() - start)
    service.uploads.cancel_join_thread()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4, help="in each worker")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--load", type=float, default=0.3, help="share of the processors that the uploads keep busy")
    options = parser.parse_args()
    import meshguard

    with tempfile.TemporaryDirectory() as folder:
        paths = write_uploads(Path(folder))
        meshguard.validate(paths["good"])  # compiled or in the cache before anything is measured
        meshguard.repair(paths["repaired"])
        service = Service.started(options.workers, options.threads)
        for kind in ("repaired", "good", "large"):  # each thread of each worker gets to see each
            for _ in range(2 * options.workers * options.threads):
                service.send(kind, paths[kind], limited=False)
            for _ in range(2 * options.workers * options.threads):
                service.answer()
        service.sample_memory()
        before = max(service.most_bytes.values())
        lone = lone_times(service, paths, 7)
        answers = under_load(service, paths, lone, options.seconds, options.load)
        stopped = stop(service, paths, options.threads)
    print(f"{len(service.workers)} workers x {options.threads} threads on {len(os.sched_getaffinity(0))} processors, ")
    print(f"{options.seconds:g} s of uploads that need {options.load:.0%} of them\n")
    print(
        f"{'kind':>10}{'uploads':>9}{'lone ms':>9}{'median':>8}{'p95':>7}{'p99':>7}{'worst':>7}  (times the lone time)"
    )
    failed = []
    for kind in SHARES:
        times = sorted((a.answered - a.upload.arrived) / lone[kind] for a in answers if a.upload.kind == kind)
        if not times:
            continue
        row = "".join(f"{times[min(len(times) - 1, int(share * len(times)))]:>7.2f}" for share in (0.5, 0.95, 0.99, 1))
        print(f"{kind:>10}{len(times):>9}{1e3 * lone[kind]:>9.0f} {row}")
        if kind in ("good", "repaired", "large") and times[-1] > MOST_WAIT:
            failed.append(f"{sum(t > MOST_WAIT for t in times)} of {len(times)} {kind} uploads waited too long")
    wrong = [a for a in answers if a.said != EXPECTED[a.upload.kind]]
    most = max(service.most_bytes.values())
    print(f"\nwrong answers: {len(wrong)} of {len(answers)} {sorted({(a.upload.kind, a.said) for a in wrong})}")
    print(f"memory of a worker: {before / 2**20:.0f} MiB after each kind was seen, {most / 2**20:.0f} MiB at most")
    print(f"SIGTERM to exit: {max(stopped):.2f} s at most")
    if wrong:
        failed.append("answers were wrong")
    if max(stopped) > MOST_STOP_S:
        failed.append("a worker stopped too late")
    print("\n".join(failed) or "all that is promised held")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
