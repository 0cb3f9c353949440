import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api } from "../../api/client.ts";
import { sentence, shortHex } from "../../domain/words.ts";
import { Button, EmptyState, Loaded, Nothing, Panel, Select, Status, Table, type Column } from "../../ui/index.ts";
import { Person } from "../staff/person.tsx";
import { LastDay } from "./last_day.tsx";
import { regulated, type KycRecord, type KycStatus } from "./queries.ts";

const STATUSES: readonly KycStatus[] = ["PENDING", "APPROVED", "REJECTED", "EXPIRED"];

/** Records of everybody, one a person and token. */
export function Records() {
  const [status, setStatus] = useState<KycStatus | "">("");
  const asked = useRecords(status);
  return (
    <Panel title="Records" flush>
      <div className="border-b border-line p-4">
        <Select className="sm:max-w-60" label="KYC" value={status} onChange={({ target }) => setStatus(target.value as KycStatus | "")}>
          <option value="">Whatever it says</option>
          {STATUSES.map((one) => (
            <option key={one} value={one}>
              {sentence(one)}
            </option>
          ))}
        </Select>
      </div>
      <Loaded of={asked}>
        {({ pages }) => (
          <RecordTable
            records={pages.flatMap(({ data }) => data)}
            empty={
              <EmptyState title="No record">
                {status ? "None says that." : "Records come when somebody asks to be verified, or when you write one for a user."}
              </EmptyState>
            }
          />
        )}
      </Loaded>
      {asked.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
            Show more
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}

function useRecords(status: KycStatus | "") {
  return useInfiniteQuery({
    queryKey: ["compliance", "records", status],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) };
      return api.get("/api/v1/compliance/records", { query, signal });
    },
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: 15_000,
  });
}

export function RecordTable({ records, empty }: { records: readonly KycRecord[]; empty: ReactNode }) {
  const tokens = useQuery(regulated);
  const columns: readonly Column<KycRecord>[] = [
    { head: "Account", primary: true, cell: ({ userId }) => <Person userId={userId} /> },
    { head: "Token", cell: ({ tokenId }) => tokens.data?.get(tokenId)?.symbol ?? shortHex(tokenId) },
    { head: "KYC", cell: ({ kycStatus }) => <Status of={kycStatus} /> },
    { head: "Level", right: true, cell: ({ kycLevel }) => <span className="figures">{kycLevel}</span> },
    { head: "Whitelist", cell: ({ whitelisted }) => (whitelisted ? "On it" : <Nothing said="not on the whitelist" />) },
    { head: "Accreditation", cell: ({ accreditation }) => sentence(accreditation) },
    { head: "Country", cell: ({ jurisdiction }) => jurisdiction ?? <Nothing said="unknown" /> },
    { head: "Ends", right: true, cell: ({ expiresAt }) => <LastDay at={expiresAt} /> },
  ];
  return <Table caption="Compliance records" rows={records} rowKey={({ userId, tokenId }) => `${userId} ${tokenId}`} columns={columns} empty={empty} />;
}
