import { useState } from "react";
import { AddressList } from "../features/funds/address_list.tsx";
import { DepositForm } from "../features/funds/deposit_form.tsx";
import { Deposits, Withdrawals } from "../features/funds/passages.tsx";
import { WithdrawForm } from "../features/funds/withdraw_form.tsx";
import { PageTitle, Panel, Tabs } from "../ui/index.ts";

type TabName = "deposit" | "withdraw" | "addresses";

export default function Funds() {
  const [tab, setTab] = useState<TabName>("deposit");
  return (
    <div className="mx-auto max-w-5xl">
      <PageTitle title="Deposit and withdraw" about="Between your wallet and the vault. Nothing moves without your signature." />
      <Panel flush className="mb-4">
        <Tabs
          label="Which way"
          flush
          active={tab}
          onChange={setTab}
          tabs={[
            { name: "deposit", label: "Deposit", panel: <DepositForm /> },
            { name: "withdraw", label: "Withdraw", panel: <WithdrawForm /> },
            { name: "addresses", label: "Addresses", panel: <AddressList /> },
          ]}
        />
      </Panel>
      <Panel flush title={tab === "deposit" ? "Deposits" : "Withdrawals"}>
        {tab === "deposit" ? <Deposits /> : <Withdrawals />}
      </Panel>
    </div>
  );
}
