import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../api/client.ts";
import { sentence } from "../domain/words.ts";
import { AuditLink } from "../features/staff/audit_link.tsx";
import { Person } from "../features/staff/person.tsx";
import { ReasonDialog } from "../features/staff/reason_dialog.tsx";
import { Button, EmptyState, Facts, Hex, Loaded, Notice, PageTitle, Panel, Quantity, Select, Status, Table, Time, type Column } from "../ui/index.ts";

type Withdrawal = Schemas["WithdrawalAnswer"];
type Wanted = Schemas["WithdrawalStatus"] | "";
type Step = { readonly withdrawal: Withdrawal; readonly verdict: "approve" | "reject" };

const STATUSES: readonly Schemas["WithdrawalStatus"][] = ["PENDING_APPROVAL", "APPROVED", "PROCESSING", "SUBMITTED", "UNKNOWN", "COMPLETED", "REJECTED", "FAILED", "CANCELLED"];

export default function Custody() {
  const client = useQueryClient();
  const [status, setStatus] = useState<Wanted>("PENDING_APPROVAL");
  const [step, setStep] = useState<Step | null>(null);
  const asked = useWithdrawals(status);
  const refresh = (): void => void client.invalidateQueries({ queryKey: ["custody"] });
  return (
    <>
      <PageTitle title="Custody desk" about="Withdrawals that limits have stopped for a person to look at. Nobody decides on their own, and large ones take two." />
      <Panel flush>
        <div className="border-b border-line p-4">
          <Select className="sm:max-w-64" label="Which withdrawals" value={status} onChange={({ target }) => setStatus(target.value as Wanted)}>
            <option value="">All, newest first</option>
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {one === "PENDING_APPROVAL" ? "Wait for review" : sentence(one)}
              </option>
            ))}
          </Select>
        </div>
        <Loaded of={asked}>
          {({ pages }) => (
            <Table
              caption="Withdrawals"
              rows={pages.flatMap(({ data }) => data)}
              rowKey={({ id }) => id}
              columns={columns(setStep)}
              empty={<EmptyState title="Nothing waits">Withdrawals below the automatic limit are paid without anybody.</EmptyState>}
            />
          )}
        </Loaded>
        {asked.hasNextPage ? (
          <div className="flex justify-center border-t border-line p-3">
            <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
              Show older
            </Button>
          </div>
        ) : null}
      </Panel>
      {step ? <Decide key={`${step.verdict} ${step.withdrawal.id} ${step.withdrawal.version}`} step={step} onDone={refresh} onClose={() => setStep(null)} /> : null}
    </>
  );
}

function useWithdrawals(status: Wanted) {
  return useInfiniteQuery({
    queryKey: ["custody", "withdrawals", status],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get("/api/v1/admin/withdrawals", { query: { limit: 50, ...(status ? { status } : {}), ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    getNextPageParam: (last) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: 5_000,
  });
}

function columns(onStep: (step: Step) => void): readonly Column<Withdrawal>[] {
  return [
    { head: "Amount", primary: true, cell: ({ amount, symbol }) => <Quantity value={amount} unit={symbol} className="font-medium" /> },
    { head: "Status", cell: ({ status }) => <Status of={status} /> },
    { head: "From", cell: ({ userId, account }) => <Person userId={userId} account={account} /> },
    { head: "To", cell: ({ destination }) => <Hex value={destination} /> },
    { head: "Waits since", cell: ({ createdAt }) => <Time at={createdAt} shape="relative" /> },
    { head: "Expires", wide: true, cell: ({ expiresAt }) => <Time at={expiresAt} shape="relative" /> },
    { head: "People needed", right: true, cell: ({ approvalsNeeded, status }) => (status === "PENDING_APPROVAL" ? <span className="figures">{approvalsNeeded}</span> : null) },
    { head: "Record", wide: true, cell: ({ id }) => <AuditLink entityId={id}>Timeline</AuditLink> },
    {
      head: <span className="sr-only">Decide</span>,
      right: true,
      cell: (withdrawal) =>
        withdrawal.status === "PENDING_APPROVAL" ? (
          <span className="inline-flex flex-wrap gap-2">
            <Button small tone="primary" onClick={() => onStep({ withdrawal, verdict: "approve" })}>
              Approve
            </Button>
            <Button small tone="danger" onClick={() => onStep({ withdrawal, verdict: "reject" })}>
              Reject
            </Button>
          </span>
        ) : null,
    },
  ];
}

function Decide({ step: { withdrawal, verdict }, onDone, onClose }: { step: Step; onDone: () => void; onClose: () => void }) {
  const path = { id: withdrawal.id };
  const again = (): void => {
    onDone();
    onClose();
  };
  return (
    <ReasonDialog
      title={verdict === "approve" ? "Approve this withdrawal?" : "Reject this withdrawal?"}
      what={verdict === "approve" ? "Approve it" : "Reject it"}
      done={verdict === "approve" ? "Your approval counts" : "The withdrawal is rejected"}
      tone={verdict === "approve" ? "primary" : "danger"}
      reason="required"
      onDo={(reason, key) =>
        verdict === "approve"
          ? api.post("/api/v1/withdrawals/{id}/approve", { path, body: { reason }, key, seen: withdrawal.version })
          : api.post("/api/v1/withdrawals/{id}/reject", { path, body: { reason }, key, seen: withdrawal.version })
      }
      onDone={onDone}
      onClose={onClose}
      onLookAgain={again}
    >
      <Facts
        facts={[
          ["Amount", <Quantity value={withdrawal.amount} unit={withdrawal.symbol} places={18} />],
          ["From", <Person userId={withdrawal.userId} account={withdrawal.account} whole />],
          ["To", <Hex value={withdrawal.destination} whole />],
          ["Version seen", String(withdrawal.version)],
        ]}
      />
      {verdict === "approve" && withdrawal.approvalsNeeded > 1 ? (
        <Notice tone="info">Two people are needed: besides you, somebody else.</Notice>
      ) : null}
      {verdict === "reject" ? <Notice tone="info">What is held for it becomes available to its owner again.</Notice> : null}
    </ReasonDialog>
  );
}
