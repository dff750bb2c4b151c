"""Simulate a CI farm: many workers take codes from one pool of devices, each code once.

    python3 benches/farm simulate --workers 1000 --devices 80,100,120 --think 300
    python3 benches/farm saturate --devices 10,100,500
    python3 benches/farm compare target/release/vmfa

`simulate` follows `vmfa code 'ci/*' --fresh` event by event, and adds what its requests would cost in DynamoDB.
`saturate` finds how many jobs may arrive in a minute until one in twenty waits for longer than a step. `compare` lets
real workers take codes from real devices of a short period, in a PostgreSQL server of its own, and puts the
simulation's prediction beside them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cost
from model import LATELY, Farm, Latency, Result, Terms, simulate, together
from real import Fleet, Server, work

AGREES = 20
"""By how many per cent a prediction may be off."""


@dataclass(frozen=True)
class Regime:
    """A farm to compare; its devices have a short period, so that minutes are enough."""

    name: str
    devices: int
    think: float
    timeout: int
    window: int = 0


REGIMES = (
    Regime("enough", devices=16, think=30, timeout=300),
    Regime("tight", devices=12, think=25, timeout=300),
    Regime("window", devices=12, think=25, timeout=300, window=1),
    Regime("saturated", devices=6, think=5, timeout=300),
    Regime("refused", devices=6, think=10, timeout=20),
)


def positive(text: str) -> float:
    """A number that is more than zero."""
    if (number := float(text)) <= 0:
        raise ValueError(text)
    return number


def many(text: str) -> list[int]:
    """Numbers, with commas in between."""
    numbers = [int(word) for word in text.split(",")]
    if min(numbers) < 1:
        raise ValueError(text)
    return numbers


def units(text: str) -> tuple[str, float, float]:
    """What an operation costs: NAME=READS/WRITES."""
    name, _, both = text.partition("=")
    reads, _, writes = both.partition("/")
    if name not in cost.operations(1, 1, 1, 1):
        raise ValueError(text)
    return name, float(reads), float(writes or 0)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns, the first to the left and the others to the right."""
    lines = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "  ".join([cells[0].ljust(widths[0]), *others])

    return "\n".join(map(line, lines))


def described(result: Result) -> dict[str, Any]:
    """A result, for JSON."""
    waits = {"mean": result.mean, "max": max(result.waits, default=0.0)}
    waits |= {f"p{part}": result.quantile(part / 100) for part in (50, 95, 99)}
    return {
        "codes": result.codes,
        "codes_a_minute": result.throughput,
        "refused": result.refused,
        "wait_seconds": waits,
        "wait_for_a_worker_seconds": result.mean_queued,
        "utilization": result.utilization,
    }


def farm_of(arguments: argparse.Namespace, devices: int) -> Farm:
    """What was asked for."""
    terms = Terms(arguments.period, arguments.window, arguments.min_validity, arguments.timeout)
    latency = Latency.of(arguments.latency, arguments.cores)
    return Farm(devices, arguments.workers, arguments.think, arguments.rate, terms, latency)


def run_simulate(arguments: argparse.Namespace) -> None:
    """Print a row for each number of devices."""
    rows, answers = [], []
    prices = cost.Prices(arguments.read_price, arguments.write_price)
    for devices in arguments.devices:
        farm = farm_of(arguments, devices)
        result = simulate(farm, arguments.seed, arguments.warm_up * 60, arguments.minutes * 60)
        # Those that are taken ahead are read, too.
        steps = -(-LATELY // farm.terms.period) + farm.terms.timeout // farm.terms.period
        operations = cost.operations(devices, arguments.device_bytes, arguments.step_bytes, steps)
        for name, reads, writes in arguments.units:
            operations[name] = replace(operations[name], reads=reads, writes=writes)
        price = cost.of_a_code(result.operations, operations, result.codes, prices)
        wait = described(result)["wait_seconds"]
        ended = result.codes + result.refused
        rows.append([
            f"{devices:,}", f"{farm.capacity:,.0f}", f"{ended * 60 / result.seconds:,.1f}", f"{result.throughput:,.1f}",
            f"{100 * result.refused / max(ended, 1):.1f} %",
            *(f"{wait[key]:,.1f}" for key in ("mean", "p50", "p95", "p99", "max")),
            f"{100 * result.utilization:.0f} %", f"{price.reads:,.0f}", f"{price.writes:.2f}", f"{price.dollars:,.2f}",
        ])  # fmt: skip
        answers.append({
            "devices": devices, "workers": farm.workers, "capacity_a_minute": farm.capacity, **described(result),
            "dynamodb": {"read_units": price.reads, "write_units": price.writes, "dollars_a_million": price.dollars,
                         "requests": dict(result.operations)},
        })  # fmt: skip
    if arguments.json:
        print(json.dumps(answers, indent=2))
        return
    heads = ["devices", "most/min", "asked/min", "codes/min", "refused", "mean s", "p50", "p95", "p99", "max",
             "used", "reads", "writes", "$/million"]  # fmt: skip
    print(table(heads, rows))
    if arguments.rate is None:
        needed = arguments.workers * arguments.period / (arguments.think + arguments.latency)
        print(f"\n{arguments.workers:,} workers that never wait ask for the codes of {needed:,.0f} devices")


def run_saturate(arguments: argparse.Namespace) -> None:
    """Find out how many jobs may arrive in a minute."""
    rows, answers = [], []
    for devices in arguments.devices:
        farm = farm_of(arguments, devices)

        def at(part: float, farm: Farm = farm) -> Result:
            # As many workers as it takes, so that devices are what there is too little of.
            farm = replace(farm, rate=farm.capacity * part, workers=10**9, think=0)
            seeds = range(arguments.seed, arguments.seed + arguments.runs)
            return together([simulate(farm, seed, arguments.warm_up * 60, arguments.minutes * 60) for seed in seeds])

        most = bisect(lambda part, at=at: at(part).quantile(0.95) > arguments.period)  # type: ignore[misc]
        sweep = {part: at(part) for part in (0.5, 0.7, 0.8, 0.9, 0.95)}
        rows.append([
            f"{devices:,}", f"{farm.capacity:,.0f}", f"{farm.capacity * most:,.1f}", f"{100 * most:.0f} %",
            *(f"{result.mean:.1f} / {result.quantile(0.95):.1f}" for result in sweep.values()),
        ])  # fmt: skip
        answers.append({
            "devices": devices, "capacity_a_minute": farm.capacity, "saturated_a_minute": farm.capacity * most,
            "sweep": [{"arrivals_a_minute": farm.capacity * part, **described(each)} for part, each in sweep.items()],
        })  # fmt: skip
    if arguments.json:
        print(json.dumps(answers, indent=2))
        return
    heads = ["devices", "most/min", "saturated", "of most", *(f"{part} %: mean / p95" for part in (50, 70, 80, 90, 95))]
    print(table(heads, rows))


def bisect(saturated: Callable[[float], bool]) -> float:
    """The part of the capacity from which on a farm is saturated."""
    low, high = 0.0, 1.2
    for _ in range(9):
        middle = (low + high) / 2
        low, high = (low, middle) if saturated(middle) else (middle, high)
    return (low + high) / 2


def run_compare(arguments: argparse.Namespace) -> None:
    """Run each regime for real, and print what was predicted beside it."""
    regimes = [regime for regime in REGIMES if not arguments.only or regime.name in arguments.only]
    answers = []
    with tempfile.TemporaryDirectory(prefix="vmfa-farm-") as place:
        program = str(Path(arguments.program).resolve())
        if arguments.registry:
            answers = compare(Fleet(program, arguments.registry, Path(place)), regimes, arguments)
        else:
            with Server() as server:
                answers = compare(Fleet(program, server.url, Path(place)), regimes, arguments)
    if arguments.json:
        print(json.dumps(answers, indent=2))
    off = [answer["regime"] for answer in answers if not answer["agrees"]]
    if off:
        sys.exit(f"off by more than {AGREES} %: {', '.join(off)}")


def compare(fleet: Fleet, regimes: Sequence[Regime], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Run each regime for real, and predict it."""
    answers = []
    for regime in regimes:
        terms = Terms(arguments.period, regime.window, 0, regime.timeout)
        fleet.add(regime.name, regime.devices, terms.period)
        fleet.add(f"idle-{regime.name}", regime.devices, 30)
        farm = Farm(regime.devices, arguments.workers, regime.think, None, terms, Latency.of(0, 0))
        # The machine may have become busier or less busy meanwhile.
        before = fleet.latency(f"idle-{regime.name}")
        measured = work(fleet, regime.name, farm, arguments.seed, arguments.warm_up, arguments.seconds)
        after = fleet.latency(f"idle-{regime.name}")
        seconds, cores = (statistics.mean(both) for both in zip(before, after, strict=True))
        farm = replace(farm, latency=Latency.of(seconds, cores))

        def predicted(seed: int, begin: float | None = None, farm: Farm = farm) -> Result:
            return simulate(farm, seed, arguments.warm_up, arguments.seconds, begin)

        same = predicted(arguments.seed, measured.begin)
        others = [predicted(arguments.seed + 1 + run) for run in range(arguments.runs)]
        answer = beside(regime, farm, measured.result, same, others)
        answers.append(answer | {"given_twice": measured.doubled})
        if measured.doubled:
            sys.exit(f"{regime.name}: {measured.doubled} codes were given twice")
        if not arguments.json:
            print(report(answer), flush=True)
    return answers


def beside(regime: Regime, farm: Farm, real: Result, same: Result, others: Sequence[Result]) -> dict[str, Any]:
    """What was measured, what was predicted for the same work, and for other work of that kind."""

    def figures(name: str, of: Callable[[Result], float]) -> dict[str, Any]:
        seen, predicted, by_chance = of(real), of(same), [of(other) for other in others]
        off = 100 * (predicted - seen) / seen if seen else 0.0 if predicted == seen else float("inf")
        first, *_, last = statistics.quantiles(by_chance, n=20)
        return {
            "name": name,
            "real": seen,
            "simulated": predicted,
            "off_percent": off,
            "other_work": {"mean": statistics.mean(by_chance), "p5": first, "p95": last},
        }

    compared = [
        figures("codes a minute", lambda result: result.throughput),
        figures("mean wait, s", lambda result: result.mean),
    ]
    more = [
        figures("p50, s", lambda result: result.quantile(0.5)),
        figures("p95, s", lambda result: result.quantile(0.95)),
        figures("refused, %", lambda result: 100 * result.refused / max(result.refused + result.codes, 1)),
    ]
    return {
        "regime": regime.name,
        "workers": farm.workers,
        "devices": farm.devices,
        "period": farm.terms.period,
        "think": farm.think,
        "window": farm.terms.window,
        "timeout": farm.terms.timeout,
        "latency": farm.latency.whole,
        "cores": farm.latency.cores,
        "codes": real.codes,
        "figures": compared + more,
        "agrees": all(abs(row["off_percent"]) <= AGREES for row in compared),
    }


def report(answer: dict[str, Any]) -> str:
    """A table for people."""
    window = f", a window of {answer['window']}" if answer["window"] else ""
    devices = f"{answer['devices']} devices of {answer['period']} s{window}"
    head = (
        f"\n{answer['regime']}: {answer['workers']} workers, {devices}, "
        f"{answer['think']:g} s of work, timeout {answer['timeout']} s; {answer['codes']} codes; "
        f"a request takes {answer['latency'] * 1000:.0f} ms, {answer['cores']:.1f} at once\n"
    )
    rows = []
    for row in answer["figures"]:
        other = row["other_work"]
        cells = [
            f"{row['real']:.2f}",
            f"{row['simulated']:.2f}",
            f"{row['off_percent']:+.1f} %",
            f"{other['mean']:.2f}",
        ]
        rows.append([row["name"], *cells, f"{other['p5']:.2f} to {other['p95']:.2f}"])
    return head + table(["", "real", "simulated", "off", "other work", "nine in ten"], rows)


def arguments_of() -> argparse.Namespace:
    """What was asked for on the command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python3 benches/farm", description=__doc__, formatter_class=form)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], summary: str) -> argparse.ArgumentParser:
        new = commands.add_parser(
            name, help=summary, description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        new.set_defaults(run=run)
        new.add_argument("--json", action="store_true", help="print JSON")
        new.add_argument("--seed", type=int, default=1, help="what chance begins with")
        return new

    simulated = command("simulate", run_simulate, "Simulate a farm, and print a row for each number of devices")
    saturated = command(
        "saturate", run_saturate, "Find how many jobs may arrive in a minute until a wait of over a step is common"
    )
    compared = command(
        "compare", run_compare, "Let real workers ask a real pool, and print what was predicted beside it"
    )

    for each in (simulated, saturated):
        each.add_argument("--devices", type=many, default=[100], metavar="N,…", help="numbers of devices")
        each.add_argument("--minutes", type=positive, default=60, help="how long is measured")
        each.add_argument("--warm-up", type=float, default=15, metavar="MINUTES", help="how long isn't, before")
        each.add_argument("--period", type=int, default=30, metavar="SECONDS", help="length of a step")
        each.add_argument("--window", type=int, default=0, metavar="STEPS", help="as of `vmfa code`")
        each.add_argument("--min-validity", type=int, default=0, metavar="SECONDS", help="as of `vmfa code`")
        each.add_argument("--timeout", type=int, default=300, metavar="SECONDS", help="as of `vmfa code`")
        each.add_argument(
            "--latency", type=float, default=0.1, metavar="SECONDS", help="of a code that needn't be waited for"
        )
        each.add_argument(
            "--cores", type=float, default=0, help="of one machine that all workers share; 0 if each has its own"
        )
    saturated.set_defaults(workers=0, think=0.0, rate=None)
    saturated.add_argument("--runs", type=int, default=5, help="number of simulations, whose waits are taken together")

    simulated.add_argument("--workers", type=int, default=1000, help="number of workers")
    simulated.add_argument(
        "--think", type=float, default=300, metavar="SECONDS", help="mean work between an answer and the next question"
    )
    simulated.add_argument(
        "--rate",
        type=float,
        metavar="JOBS",
        help="jobs that arrive in a minute, by chance; else each worker asks again and again",
    )
    assumed = simulated.add_argument_group("assumptions about DynamoDB")
    assumed.add_argument("--device-bytes", type=int, default=500, help="size of a device's item")
    assumed.add_argument("--step-bytes", type=int, default=100, help="size of a used step's item")
    assumed.add_argument("--units", type=units, action="append", default=[], metavar="OPERATION=READS/WRITES",
                         help=f"what one costs ({', '.join(cost.operations(1, 1, 1, 1))})")  # fmt: skip
    assumed.add_argument(
        "--read-price",
        type=float,
        default=cost.Prices.read,
        help="dollars for a million read units: us-east-1, on demand, since 2024-11-01",
    )
    assumed.add_argument("--write-price", type=float, default=cost.Prices.write, help="the same of write units")

    compared.add_argument("program", metavar="PROGRAM", help="the vmfa to run")
    compared.add_argument(
        "--registry",
        metavar="URL",
        help="an empty database, as postgres://USER:PASSWORD@HOST/NAME; without it, a server of its own",
    )
    compared.add_argument("--only", action="append", choices=[regime.name for regime in REGIMES], help="regimes to run")
    compared.add_argument("--workers", type=int, default=32, help="number of workers")
    compared.add_argument("--period", type=int, default=10, metavar="SECONDS", help="length of a step")
    compared.add_argument("--seconds", type=positive, default=150, help="how long each is measured")
    compared.add_argument("--warm-up", type=float, default=60, metavar="SECONDS", help="how long it isn't, before")
    compared.add_argument(
        "--runs", type=int, default=20, help="number of simulations with other work, which show what chance does"
    )
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments_of()
    chosen.run(chosen)
