"""How far a transfer has come, for who watches at a terminal; for others, nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from graph_api.transfer import Progress as Step
from graph_api.transfer.report import OnProgress

_WORDS = {
    "waiting": "Waiting for another import",
    "reading": "Reading",
    "checking": "Checking",
    "writing": "Writing",
    "exporting": "Exporting",
}


class Speed(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} rows/s" if task.speed else "")


@contextmanager
def shown() -> Iterator[OnProgress]:
    """What takes the steps of a transfer, and shows them on standard error."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, Speed(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        phase = ""

        def show(step: Step) -> None:
            nonlocal phase
            if step.phase != phase:
                phase = step.phase
                bar.reset(task, description=_WORDS.get(phase, phase))
            bar.update(task, completed=step.done, total=step.total)

        yield show
