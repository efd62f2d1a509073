"""What a program does with the client that ariadne-codegen makes of our operations.

check.py takes it to the folder of that client, runs it there, and has mypy look at it
without the next line; elsewhere there is no `graph_api_client`.
"""
# mypy: ignore-errors
# pyright: reportMissingImports=false, reportAssertTypeFailure=false

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID

import httpx
from graph_api_client import (
    Client,
    CommitmentState,
    CreatePartyCreatePartyUserErrorsDuplicateError,
    CreatePartyInput,
    IngestionStatus,
    PartyFilter,
    PartyKind,
    PartyKindFilter,
)

KEY = "0193a1b0-0000-7000-8000-000000000001"
PARTY = {
    "id": "UGFydHk6MQ==",
    "uuid": KEY,
    "version": 1,
    "kind": "ORG",
    "name": "ACME",
    "taxId": None,
    "contact": {"email": "post@acme.example"},
}
DUPLICATE = {
    "__typename": "DuplicateError",
    "message": "There is one already.",
    "path": ["input", "externalRef"],
    "code": "DUPLICATE",
    "existing": {"__typename": "Party", "id": PARTY["id"]},
}
PAGE = {
    "hasNextPage": False,
    "hasPreviousPage": False,
    "startCursor": "a",
    "endCursor": "a",
}
FILE = {
    "id": "RG9jdW1lbnQ6MQ==",
    "version": 1,
    "title": "Invoice 123",
    "source": "EMAIL",
    "mimeType": "application/pdf",
    "fileSize": "9007199254740993",
    "sha256": None,
    "pageCount": 2,
    "ingestionStatus": "SUCCESS",
    "processingStatus": "COMPLETED",
    "classificationStatus": None,
    "classificationConfidence": 0.5,
    "ingestedAt": "2026-11-22T10:00:00Z",
}
ANSWERS: dict[str, dict[str, object]] = {
    "Parties": {
        "parties": {
            "totalCount": 1,
            "totalCountCapped": False,
            "edges": [{"cursor": "a", "node": PARTY}],
            "pageInfo": PAGE,
        }
    },
    "CreateParty": {
        "createParty": {
            "party": None,
            "interaction": None,
            "replayed": False,
            "userErrors": [DUPLICATE],
        }
    },
    "FileByHash": {"fileByHash": {"id": "RjE=", "duplicateCount": 0, "document": FILE}},
}


async def reads_a_page(client: Client) -> None:
    organizations = PartyFilter(kind=PartyKindFilter(eq=PartyKind.ORG))
    page = (await client.parties(filter_=organizations, first=10)).parties
    card = page.edges[0].node
    assert_type(card.uuid, UUID)
    assert_type(card.kind, PartyKind)
    assert_type(page.page_info.end_cursor, str | None)
    assert (card.name, card.uuid) == ("ACME", UUID(KEY))


async def is_told_why_it_was_refused(client: Client) -> None:
    asked = CreatePartyInput(kind=PartyKind.ORG, name="ACME")
    made = (await client.create_party(asked)).create_party
    assert made
    (refusal,) = made.user_errors
    assert made.party is None
    assert isinstance(refusal, CreatePartyCreatePartyUserErrorsDuplicateError)
    assert refusal.existing
    assert refusal.existing.id == PARTY["id"]


async def reads_scalars(client: Client) -> None:
    found = (await client.file_by_hash("ab")).file_by_hash
    assert found
    assert_type(found.document.file_size, int | None)
    assert_type(found.document.ingestion_status, IngestionStatus)
    assert found.document.file_size == 9_007_199_254_740_993
    assert found.document.ingested_at == datetime(2026, 11, 22, 10, tzinfo=UTC)


async def types_what_it_does_not_run(client: Client) -> None:
    page = await client.open_commitments(states=[CommitmentState.ACTIVE])
    assert_type(page.commitments.aggregate.sum.severity, int | None)
    document = (await client.document(KEY)).document
    assert document
    assert_type(document.extraction_cost, Decimal | None)


def main() -> None:
    requests: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(json.loads(request.content))
        name = str(requests[-1]["operationName"])
        return httpx.Response(200, json={"data": ANSWERS[name]})

    async def uses() -> None:
        # Its protocol for such clients does not fit httpx's own.
        http: Any = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        async with Client("http://localhost/graphql", http_client=http) as client:
            await reads_a_page(client)
            await is_told_why_it_was_refused(client)
            await reads_scalars(client)

    asyncio.run(uses())
    assert list(_variables(requests)) == [
        {"filter": {"kind": {"eq": "ORG"}}, "first": 10},
        {"input": {"kind": "ORG", "name": "ACME"}},
        {"hash": "ab"},
    ]


def _variables(requests: list[dict[str, object]]) -> Iterator[object]:
    return (request["variables"] for request in requests)


if __name__ == "__main__":
    main()
