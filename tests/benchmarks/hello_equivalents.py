"""How a subject's processor time compares with the yardstick's, round by round, on a machine that others use too."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.benchmarks import hello
from tests.benchmarks.serving import Ask, Server, Window

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
WINDOW = float(os.environ.get("BENCH_WINDOW", "4"))
#: The load of the rest of the machine moves wall clocks; beyond this the yardstick's own rate proves nothing.
STEADY = 1.3
#: Seconds; then at least both workers have been asked.
WARM_UP = 3.0
HELLO = Ask("/", lambda status, body: status == 200 and body == hello.BODY)


@dataclass
class Measured:
    """One subject over all rounds."""

    name: str
    windows: list[Window] = field(default_factory=list)
    equivalents: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Hello equivalents, the median of the rounds."""
        return statistics.median(self.equivalents)

    @property
    def spread(self) -> str:
        return f"{min(self.equivalents):.1f}–{max(self.equivalents):.1f}"

    @property
    def milliseconds(self) -> float:
        """Processor time of one answer, web and database."""
        return statistics.median(each.each for each in self.windows)

    @property
    def database_share(self) -> float:
        return sum(each.database for each in self.windows) / sum(
            each.web + each.database for each in self.windows
        )


def measure(
    *,
    yardstick: Server,
    subjects: Mapping[str, tuple[Server, Ask]],
    rounds: int = ROUNDS,
    window: float = WINDOW,
) -> tuple[dict[str, Measured], Measured]:
    """Alternate: in each round the yardstick before, half-way and after, between them every subject once."""
    measured = {name: Measured(name) for name in subjects}
    yard = Measured("hello")
    for _each in range(200):
        yardstick.ask(HELLO)
    for server, ask in subjects.values():
        server.load(ask, seconds=WARM_UP)
    names = list(subjects)
    for _round in range(rounds):
        before = yardstick.load(HELLO, seconds=window)
        half = [names[: len(names) // 2], names[len(names) // 2 :]]
        found = {name: subjects[name][0].load(subjects[name][1], seconds=window) for name in half[0]}
        between = yardstick.load(HELLO, seconds=window)
        found |= {name: subjects[name][0].load(subjects[name][1], seconds=window) for name in half[1]}
        yard.windows += [before, between]
        one = statistics.mean((before.each, between.each))
        for name, each in found.items():
            measured[name].windows.append(each)
            measured[name].equivalents.append(each.each / one)
    return measured, yard


def is_steady(yard: Measured) -> bool:
    """Whether the yardstick's own rate held still, so that a rate means something at all."""
    rates = [each.answers / each.seconds for each in yard.windows]
    return max(rates) / min(rates) <= STEADY


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the first row is its head."""
    head, *rest = rows
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(each) for each in rest)]
    return "\n".join(f"| {each} |" for each in lines)
