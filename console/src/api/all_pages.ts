/** Lists that are looked at as a whole, read page by page: so many pages, and not more. */

interface Page<Row> {
  readonly data: readonly Row[];
  readonly nextCursor: string | null;
}

export const LONGEST_PAGE = 200;

export async function allPages<Row>(load: (following: { limit: number; cursor?: string }) => Promise<Page<Row>>, pagesAtMost = 10): Promise<Row[]> {
  const found: Row[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesAtMost; page += 1) {
    const told: Page<Row> = await load({ limit: LONGEST_PAGE, ...(cursor ? { cursor } : {}) });
    found.push(...told.data);
    cursor = told.nextCursor;
    if (!cursor) break;
  }
  return found;
}
