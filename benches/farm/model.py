"""What `vmfa code 'ci/*' --fresh` does when many workers ask one pool, as a simulation of events.

It follows the program: `candidates` is that of src/device/clock.rs, `Pool.nearest` and `Simulation.request` are
`nearest` and `of_pool` of src/cli/command/code/lease.rs, and `Pool.claim` is `lease` of src/device/issue.rs. The
program counts in whole seconds, and so does this.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

MARGIN = 5  # MARGIN of src/device/clock.rs
LONGEST_WAIT = 24 * 60 * 60  # of src/device/lease.rs
LATELY = 600  # of src/device/issue.rs
ATTEMPTS = 50  # of src/cli/command/code/lease.rs
# How the time of a request divides into that of `Latency`, by PostgreSQL's log.
PARTS = (0.85, 0.02, 0.08, 0.05)


@dataclass(frozen=True)
class Terms:
    """What a request asks for, in seconds and steps."""

    period: int = 30
    window: int = 0
    min_validity: int = 0
    timeout: int = 300


@dataclass(frozen=True)
class Latency:
    """What a request takes where it needn't wait, in seconds: the program's work and the registry's answers."""

    start: float
    """From the start of the program until it looks which codes are used."""
    look: float
    """Until it knows."""
    claim: float
    """Until it has its code: the secret is read, and the step claimed."""
    end: float
    """Until the program has ended; and, after a wait, until it knows that the code is still its own."""
    cores: float = 0
    """How many requests one machine does at once; more share it. 0: each worker has its own machine."""

    @classmethod
    def of(cls, seconds: float, cores: float = 0, parts: tuple[float, float, float, float] = PARTS) -> Latency:
        """Divide the latency of a whole request."""
        start, look, claim, end = (seconds * part / sum(parts) for part in parts)
        return cls(start, look, claim, end, cores)

    @property
    def whole(self) -> float:
        """The latency of a whole request."""
        return self.start + self.look + self.claim + self.end


@dataclass(frozen=True)
class Farm:
    """Who asks, and how often."""

    devices: int
    workers: int
    think: float
    """The mean work between an answer and the next question, in seconds; its distribution is exponential."""
    rate: float | None
    """Jobs that arrive in a minute, for which a worker asks once each; without it, each worker asks again and again."""
    terms: Terms
    latency: Latency

    @property
    def capacity(self) -> float:
        """The most codes in a minute: each device has one in a step, whatever the window."""
        return self.devices * 60 / self.terms.period


def candidates(time: int, patience: int, terms: Terms) -> list[int]:
    """The steps that a lease may take, the best first."""
    period, window = terms.period, terms.window
    step = time // period
    behind = max(window - 1, 0) if period * (step + 1) - time < MARGIN else window
    steps = [step]
    for distance in range(1, max(behind, window) + 1):
        if distance <= behind:
            steps.append(step - distance)
        if distance <= window:
            steps.append(step + distance)
    steps = [step for step in steps if lasts(step, time, terms)]
    last = (time + min(patience, LONGEST_WAIT)) // period + window
    steps.extend(range(step + window + 1, last + 1))
    return steps


def wait_for(step: int, time: int, terms: Terms) -> int:
    """In how many seconds the service takes a step."""
    return max((step - terms.window) * terms.period - time, 0)


def lasts(step: int, time: int, terms: Terms) -> bool:
    """Whether the service goes on to take a step for as long as is asked."""
    longest = terms.period * (2 * terms.window + 1)
    good_for = (step + terms.window + 1) * terms.period - time
    return terms.min_validity == 0 or good_for >= min(terms.min_validity + 1, longest)


class Pool:
    """Which steps of which devices are taken. A set of devices is a number with a bit for each."""

    def __init__(self, devices: int, terms: Terms, dice: random.Random) -> None:
        """With nothing taken."""
        self.terms, self.dice = terms, dice
        self.all = (1 << devices) - 1
        self.taken: dict[int, int] = {}
        # By the last step that a device gave: which devices.
        self.lately: dict[int, int] = {}
        self.swept = 0

    def nearest(self, time: int, any_of_them: bool) -> tuple[int, int] | None:
        """The device that has a code soonest and nearest, and in how many seconds."""
        terms, here = self.terms, time // self.terms.period
        steps = candidates(time, terms.timeout, terms)
        for (wait, _), group in itertools.groupby(steps, lambda step: (wait_for(step, time, terms), abs(step - here))):
            free = 0
            for step in group:
                free |= self.all & ~self.taken.get(step, 0)
            if free:
                return (self.any_bit(free) if any_of_them else self.least_lately(free, here)), wait
        return None

    def any_bit(self, devices: int) -> int:
        """One of them, by chance."""
        numbers = [number for number in range(devices.bit_length()) if devices >> number & 1]
        return self.dice.choice(numbers)

    def least_lately(self, devices: int, here: int) -> int:
        """The one that was used longest ago, then the first by name."""
        begin = here - math.ceil(LATELY / self.terms.period) + 1
        self.sweep(begin)
        late = 0
        for step, used in self.lately.items():
            if step >= begin:
                late |= used
        # A step to come counts as the current one.
        ahead = 0
        for step, used in self.lately.items():
            if step >= here:
                ahead |= used
        for group in (~late, *(self.lately.get(step, 0) for step in range(begin, here)), ahead):
            if found := devices & group:
                return (found & -found).bit_length() - 1
        raise AssertionError("each device is in one group")

    def sweep(self, begin: int) -> None:
        """Forget what no longer matters."""
        if begin - self.swept < 20:
            return
        self.swept = begin
        self.lately = {step: used for step, used in self.lately.items() if step >= begin}
        self.taken = {step: used for step, used in self.taken.items() if step >= begin - self.terms.window}

    def claim(self, device: int, time: int, patience: int) -> int | None:
        """Take the first free step of a device."""
        bit = 1 << device
        for step in candidates(time, patience, self.terms):
            if not self.taken.get(step, 0) & bit:
                self.taken[step] = self.taken.get(step, 0) | bit
                self.mark(device)
                return step
        return None

    def release(self, device: int, step: int) -> None:
        """Give a step back."""
        self.taken[step] &= ~(1 << device)
        self.mark(device)

    def mark(self, device: int) -> None:
        """Write down which is the last step that a device gave."""
        bit = 1 << device
        for step, used in self.lately.items():
            if used & bit:
                self.lately[step] = used & ~bit
        last = max((step for step, used in self.taken.items() if used & bit), default=None)
        if last is not None:
            self.lately[last] = self.lately.get(last, 0) | bit


@dataclass
class Work:
    """Something to do, which takes so many seconds on an idle machine."""

    seconds: float


@dataclass
class Until:
    """Sleep until a time."""

    time: float


Process = Generator[Work | Until, None, None]


class Engine:
    """Processes that work and sleep. Those that work share the cores of one machine, if it is one."""

    def __init__(self, cores: float, start: float) -> None:
        """At a time, in seconds since 1970."""
        self.cores, self.now = cores, start
        self.numbers = itertools.count()
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        # Work that is done, in seconds for each of those who work: equal for all, so the first to end is known.
        self.done = 0.0
        self.working: list[tuple[float, int, Process]] = []
        self.version = 0

    def at(self, time: float, what: Callable[[], None]) -> None:
        """Do something at a time."""
        heapq.heappush(self.events, (time, next(self.numbers), what))

    def start(self, process: Process) -> None:
        """Let a process go on until it works or sleeps."""
        step = next(process, None)
        if isinstance(step, Until):
            self.at(max(step.time, self.now), lambda: self.start(process))
        elif isinstance(step, Work) and self.cores == 0:
            self.at(self.now + step.seconds, lambda: self.start(process))
        elif isinstance(step, Work):
            heapq.heappush(self.working, (self.done + step.seconds, next(self.numbers), process))
            self.plan()

    def speed(self) -> float:
        """How fast each of those who work is."""
        return min(1.0, self.cores / len(self.working)) if self.working else 0.0

    def plan(self) -> None:
        """Look again when the next one is done."""
        self.version += 1
        if self.working:
            version, left = self.version, max(self.working[0][0] - self.done, 0)
            self.at(self.now + left / self.speed(), lambda: self.finish(version))

    def finish(self, version: int) -> None:
        """The first of those who work is done, unless somebody came or went meanwhile."""
        if version == self.version:
            end, _, process = heapq.heappop(self.working)
            self.done = max(self.done, end)
            self.plan()
            self.start(process)

    def run(self, end: float) -> None:
        """Until a time."""
        while self.events and self.events[0][0] <= end:
            time, _, what = heapq.heappop(self.events)
            self.done += (time - self.now) * self.speed()
            self.now = time
            what()


@dataclass
class Result:
    """What was measured."""

    seconds: float
    capacity: float
    waits: list[float] = field(default_factory=list)
    """How long it took to get a code, in seconds, from question to answer."""
    queued: list[float] = field(default_factory=list)
    """How long jobs waited for a worker."""
    refused: int = 0
    operations: Counter[str] = field(default_factory=Counter)

    @property
    def codes(self) -> int:
        """How many codes were given."""
        return len(self.waits)

    @property
    def throughput(self) -> float:
        """Codes in a minute."""
        return self.codes * 60 / self.seconds

    @property
    def utilization(self) -> float:
        """Which part of the devices' codes was given."""
        return self.throughput / self.capacity

    @property
    def mean(self) -> float:
        """The mean wait; 0 where nobody got a code."""
        return sum(self.waits) / len(self.waits) if self.waits else 0.0

    @property
    def mean_queued(self) -> float:
        """The mean wait for a worker."""
        return sum(self.queued) / len(self.queued) if self.queued else 0.0

    def quantile(self, part: float) -> float:
        """A wait that this part is no longer than."""
        waits = sorted(self.waits)
        return waits[min(math.ceil(part * len(waits)), len(waits)) - 1] if waits else 0.0


class Thoughts:
    """For how long one worker works between an answer and its next question. Real workers have the same ones."""

    def __init__(self, seed: int, number: int, mean: float) -> None:
        """Of a run, and one of its workers."""
        self.dice, self.mean = random.Random(f"{seed} {number}"), mean  # noqa: S311 - no secret

    def next(self) -> float:
        """The next ones, in seconds."""
        return self.dice.expovariate(1 / self.mean) if self.mean else 0.0


class Simulation:
    """One run of a farm."""

    def __init__(self, farm: Farm, seed: int, warm_up: float, seconds: float, begin: float | None = None) -> None:
        """What is answered in the first seconds, while the line grows, isn't measured."""
        self.farm, self.seed, self.dice = farm, seed, random.Random(seed)  # noqa: S311 - no secret
        if begin is None:
            begin = 1_000_000_000 * farm.terms.period + self.dice.random() * farm.terms.period
        self.engine = Engine(farm.latency.cores, begin)
        self.measured = (begin + warm_up, begin + warm_up + seconds)
        self.pool = Pool(farm.devices, farm.terms, self.dice)
        self.result = Result(seconds, farm.capacity)
        self.thoughts = Thoughts(seed, -1, farm.think)
        self.idle, self.jobs = farm.workers, deque[float]()

    def run(self) -> Result:
        """Run it to its end."""
        engine = self.engine
        if self.farm.rate is None:
            for number in range(self.farm.workers):
                engine.start(self.worker(Thoughts(self.seed, number, self.farm.think)))
        elif self.farm.rate > 0:
            engine.start(self.arrivals(self.farm.rate / 60))
        engine.run(self.measured[1])
        return self.result

    def counts(self) -> bool:
        """Whether it is measured what happens now."""
        return self.measured[0] <= self.engine.now

    def count(self, operation: str) -> None:
        """A request to the registry."""
        if self.counts():
            self.result.operations[operation] += 1

    def worker(self, thoughts: Thoughts) -> Process:
        """Work, ask, and so on."""
        while True:
            yield Until(self.engine.now + thoughts.next())
            yield from self.request()

    def arrivals(self, rate: float) -> Process:
        """Jobs that arrive by chance, so many in a second."""
        while True:
            yield Until(self.engine.now + self.dice.expovariate(rate))
            self.jobs.append(self.engine.now)
            self.assign()

    def assign(self) -> None:
        """Give jobs to workers who have none."""
        while self.idle and self.jobs:
            self.idle -= 1
            arrived = self.jobs.popleft()
            if self.counts():
                self.result.queued.append(self.engine.now - arrived)
            self.engine.start(self.job())

    def job(self) -> Process:
        """Ask, and work."""
        yield from self.request()
        yield Until(self.engine.now + self.thoughts.next())
        self.idle += 1
        self.assign()

    def request(self) -> Process:
        """`vmfa code 'ci/*' --fresh`."""
        engine, pool, terms, latency = self.engine, self.pool, self.farm.terms, self.farm.latency
        asked = engine.now
        self.count("open")
        self.count("list")
        yield Work(latency.start)
        for attempt in range(ATTEMPTS):
            moment = int(engine.now)
            self.count("look")
            # A database answers with what it knew when the question began.
            found = pool.nearest(moment, attempt > 0)
            yield Work(latency.look)
            if found is None:
                break
            device, patience = found
            moment = int(engine.now)
            self.count("secret")
            self.count("claim")
            yield Work(latency.claim)
            step = pool.claim(device, moment, patience)
            if step is None:
                self.count("look one")
                continue
            if wait := wait_for(step, moment, terms):
                # From here on, not from the moment: see `remaining` of src/cli/clock.rs.
                yield Until(int(engine.now) + wait)
            now = int(engine.now)
            if abs(step - now // terms.period) > terms.window or not lasts(step, now, terms):
                self.count("give back")
                pool.release(device, step)
                continue
            if wait:
                self.count("give")
            yield Work(latency.end)
            if self.counts():
                self.result.waits.append(engine.now - asked)
            return
        yield Work(latency.end)
        self.result.refused += self.counts()


def simulate(farm: Farm, seed: int, warm_up: float, seconds: float, begin: float | None = None) -> Result:
    """Run a farm once, from a time on."""
    return Simulation(farm, seed, warm_up, seconds, begin).run()


def together(results: Sequence[Result]) -> Result:
    """Several runs, as if one had come after the other."""
    whole = Result(sum(result.seconds for result in results), results[0].capacity)
    for result in results:
        whole.waits += result.waits
        whole.queued += result.queued
        whole.refused += result.refused
        whole.operations += result.operations
    return whole
