/** Registrations of one issuer, beside each other: a rejected one ends, and what it should have been comes as another. */

interface Listed {
  readonly id: string;
  readonly issuerId: string;
  readonly name: string;
  readonly tokenSymbol: string;
  readonly status: string;
  readonly createdAt: string;
}

interface Document {
  readonly title: string;
  readonly kind: string;
  readonly sha256: string;
}

/** What an issuer writes themselves; the rest is the platform's. */
const OF_THE_MARKET = ["name", "description", "assetType", "tokenSymbol", "tokenName", "decimals", "totalSupply", "supplyCap"] as const;
const OF_THE_ASSET = ["valuation", "currency", "location", "attributes", "regulatoryInfo"] as const;

type Market = Readonly<Record<(typeof OF_THE_MARKET)[number], unknown>>;
type Asset = Readonly<Record<(typeof OF_THE_ASSET)[number], unknown>> & { readonly documents: readonly Document[] };

const same = (one: string, other: string): boolean => one.trim().toLowerCase() === other.trim().toLowerCase();

/** The last one before it that was rejected, under the same symbol or the same name. */
export function earlierOf<Row extends Listed>(of: Listed, all: readonly Row[]): Row | null {
  const before = all.filter(
    (row) =>
      row.id !== of.id &&
      row.issuerId === of.issuerId &&
      row.status === "rejected" &&
      row.createdAt < of.createdAt &&
      (same(row.tokenSymbol, of.tokenSymbol) || same(row.name, of.name)),
  );
  return before.reduce<Row | null>((last, row) => (last === null || row.createdAt > last.createdAt ? row : last), null);
}

/** What was submitted, in a form whose two versions can be compared: documents by their title, with their hash. */
export function submitted({ market, asset }: { market: Market; asset: Asset }): Record<string, unknown> {
  const documents: Record<string, string> = {};
  for (const { title, kind, sha256 } of asset.documents) {
    const name = `${title} (${kind})`;
    documents[name] = name in documents ? `${documents[name]}, ${sha256}` : sha256;
  }
  return {
    ...Object.fromEntries(OF_THE_MARKET.map((name) => [name, market[name]])),
    ...Object.fromEntries(OF_THE_ASSET.map((name) => [name, asset[name]])),
    documents,
  };
}
