"""What the README shows is what the demo answers."""

import json
import re
from pathlib import Path
from typing import Any

import asyncpg
from running import Run

from graph_api.caller import Caller
from graph_api.transfer import connect, import_files

ROOT = Path(__file__).parent.parent
EXAMPLES = re.findall(
    r"```graphql\n(.*?)```\s+```json\n(.*?)```",
    (ROOT / "README.md").read_text(),
    re.DOTALL,
)


async def test_every_query_of_the_readme_has_the_answer_it_shows(
    database_url: str, admin: "asyncpg.Connection[Any]", caller: Caller, run: Run
) -> None:
    await admin.execute(
        "UPDATE users SET full_name = 'local' WHERE id = $1", caller.user_id
    )
    async with connect(database_url, caller.workspace_id) as connection:
        demo = ROOT / "examples" / "debian-sample.jsonl.gz"
        await import_files(connection, caller, [demo])

    answers = [await run(query) for query, _ in EXAMPLES]

    assert answers == [{"data": json.loads(answer)} for _, answer in EXAMPLES]


def test_the_readme_begins_with_two_commands() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:24]

    assert {"make serve", "make test"} <= {
        line.partition("  ")[0] for line in first_screen
    }
