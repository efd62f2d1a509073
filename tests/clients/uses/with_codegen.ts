// What a program does with the types that @graphql-codegen makes of our operations.
// It is never run: that it compiles, and that nothing in it is `any`, is the check.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

import { useFragment as unmask } from "../build/codegen";
import {
  CommitmentLineFragmentDoc,
  CreateCommitmentDocument,
  CreatePartyDocument,
  DocumentDocument,
  DocumentLineFragmentDoc,
  HistoryDocument,
  LogLineFragmentDoc,
  OpenCommitmentsDocument,
  PageEndsFragmentDoc,
  PartiesDocument,
  PartyCardFragmentDoc,
  RefusalFragmentDoc,
  SeveralDocument,
  UpdateCommitmentDocument,
} from "../build/codegen/graphql";
import type { Same } from "./same";

declare function ask<Answer, Variables>(
  operation: TypedDocumentNode<Answer, Variables>,
  variables: Variables,
): Promise<Answer>;
declare function is<_Claim extends true>(): void;

export async function readsPageAfterPage(after: string | null): Promise<string[]> {
  const { parties } = await ask(PartiesDocument, {
    filter: { kind: { eq: "ORG" }, name: { startsWith: "A" } },
    after,
  });
  is<Same<typeof parties.totalCount, number>>();
  const names = parties.edges.map(({ node }) => unmask(PartyCardFragmentDoc, node).name);
  const page = unmask(PageEndsFragmentDoc, parties.pageInfo);
  is<Same<typeof page.endCursor, string | null>>();
  return page.hasNextPage
    ? [...names, ...(await readsPageAfterPage(page.endCursor))]
    : names;
}

export async function readsScalarsAndEnums(): Promise<void> {
  const { document } = await ask(DocumentDocument, { id: "1" });
  if (!document) return;
  const line = unmask(DocumentLineFragmentDoc, document);
  is<Same<typeof line.fileSize, string | null>>();
  is<Same<typeof line.ingestionStatus, "FAILED" | "PENDING" | "RETRY" | "SUCCESS">>();
  is<Same<typeof document.extractionCost, string | null>>();
  is<Same<typeof document.extractionData, unknown>>();
  for (const { target } of document.links.nodes) {
    if (target?.__typename === "Commitment") is<Same<typeof target.title, string>>();
  }
}

export async function readsFigures(): Promise<void> {
  const { commitments } = await ask(OpenCommitmentsDocument, { states: ["ACTIVE"] });
  is<Same<typeof commitments.aggregate.avg.priority, number | null>>();
  is<Same<typeof commitments.aggregate.sum.severity, string | null>>();
  is<Same<typeof commitments.aggregate.min.dueAt, string | null>>();
  is<Same<(typeof commitments.groups)[number]["aggregate"]["count"], number>>();
  const lines = unmask(CommitmentLineFragmentDoc, commitments.nodes);
  is<Same<(typeof lines)[number]["metadata"], unknown>>();
}

export async function readsWhatIsOfAnyType(): Promise<void> {
  const { node } = await ask(HistoryDocument, { id: "1" });
  if (node && "interactions" in node) {
    const told = unmask(LogLineFragmentDoc, node.interactions.nodes);
    is<Same<(typeof told)[number]["position"], string>>();
  }
  const { nodes } = await ask(SeveralDocument, { ids: ["1", "2"] });
  for (const found of nodes) {
    if (found?.__typename === "Party") unmask(PartyCardFragmentDoc, found).name;
  }
}

export async function showsWhyItWasRefused(): Promise<string[]> {
  const { createParty } = await ask(CreatePartyDocument, {
    input: { kind: "PERSON", name: "Ada" },
  });
  // Null where the mutation could not be run at all, which an error beside it tells.
  return (createParty?.userErrors ?? []).map((masked) => {
    const refusal = unmask(RefusalFragmentDoc, masked);
    switch (refusal.__typename) {
      case "ConflictError":
        return `${refusal.message} (now ${refusal.version ?? "gone"})`;
      case "InvalidTransitionError":
        return `${refusal.from} to ${refusal.to}; ${refusal.allowed.join(" or ")}`;
      case "DuplicateError":
        return `${refusal.message} ${refusal.existing?.id}`;
      default:
        return `${refusal.path.join(".")}: ${refusal.message}`;
    }
  });
}

export async function sendsOnlyWhatTheInputsHave(): Promise<void> {
  // What has a default, or may be null, can be left out; null empties a field.
  await ask(UpdateCommitmentDocument, { input: { id: "1", dueAt: null } });
  // @ts-expect-error A commitment needs a title.
  const untitled: Input = { commitmentType: "GOAL", roleId: "1", source: "MANUAL" };
  // @ts-expect-error There is no such type of commitment.
  const mistyped: Input = { ...untitled, title: "A", commitmentType: "WISH" };
  // @ts-expect-error Whose it is, the server knows.
  const foreign: Input = { ...mistyped, workspaceId: "1" };
  await ask(CreateCommitmentDocument, { input: foreign });
}

type Variables<Operation> =
  Operation extends TypedDocumentNode<unknown, infer Given> ? Given : never;
type Input = Variables<typeof CreateCommitmentDocument>["input"];
