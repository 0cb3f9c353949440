import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { exchangeInfo } from "../../api/queries.ts";
import { accountLink } from "../../domain/qr_path.ts";
import { Button, Hex, Notice, QrCode } from "../../ui/index.ts";

/** Where tokens have to be before they are deposited: one's own wallet, to copy or for a camera. */
export function OwnAddress({ account }: { account: string }) {
  const [shown, setShown] = useState(false);
  const chainId = useQuery(exchangeInfo).data?.chainId;
  return (
    <Notice title="Never send tokens to the vault's address yourself">
      <p>
        Have them in your own wallet first: <Hex value={account} whole />
      </p>
      <p>From there you bring them in here, and the vault knows whose they are.</p>
      <Button small aria-expanded={shown} onClick={() => setShown(!shown)} className="mt-2">
        {shown ? "Hide the code" : "Show it as a QR code"}
      </Button>
      {shown && chainId !== undefined ? (
        <div className="mt-2">
          <QrCode text={accountLink(account, chainId)} label={`QR code of ${account} on chain ${chainId}`} />
        </div>
      ) : null}
    </Notice>
  );
}
