// What components do with the types that relay-compiler makes of theirs.
// It is never run: that it compiles, and that nothing in it is `any`, is the check.
import type { HistoryAcceptMutation } from "../build/relay/HistoryAcceptMutation.graphql";
import type { History_entity$data } from "../build/relay/History_entity.graphql";
import type { Neighbours_node$data } from "../build/relay/Neighbours_node.graphql";
import type { PartyItem_commitments$data } from "../build/relay/PartyItem_commitments.graphql";
import type { PartyItem_party$data } from "../build/relay/PartyItem_party.graphql";
import type { PartyItemQuery } from "../build/relay/PartyItemQuery.graphql";
import type { PartyListCreateMutation } from "../build/relay/PartyListCreateMutation.graphql";
import type { PartyListQuery } from "../build/relay/PartyListQuery.graphql";
import type { PartyList_parties$data } from "../build/relay/PartyList_parties.graphql";
import type { Same } from "./same";

declare function is<_Claim extends true>(): void;

is<Same<PartyItem_party$data["name"], string>>();
is<Same<PartyItem_party$data["contact"], unknown>>();
is<Same<PartyItem_party$data["kind"], "ORG" | "PERSON" | "%future added value">>();
is<Same<PartyItem_commitments$data["commitments"]["edges"][number]["cursor"], string>>();
is<Same<PartyList_parties$data["parties"]["totalCount"], number>>();
is<Same<PartyList_parties$data["parties"]["__id"], string>>();
is<Same<History_entity$data["uuid"], string>>();
is<Same<Neighbours_node$data["outEdges"]["edges"][number]["node"]["weight"], number>>();

type Documents = NonNullable<PartyItemQuery["response"]>["party"]["documents"];
is<Same<Documents["nodes"][number]["extractionCost"], string | null | undefined>>();

type Accepted = NonNullable<HistoryAcceptMutation["response"]["acceptCommitment"]>;
is<Same<Accepted["userErrors"][number]["path"], ReadonlyArray<string>>>();

export const everything: PartyListQuery["variables"] = {};
export const created: PartyListCreateMutation["variables"] = {
  connections: [],
  input: { kind: "ORG", name: "ACME" },
};
