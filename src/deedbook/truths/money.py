"""Truths of money: none is created, none is lost, and what is set aside has an owner."""

QUERIES = {
    "INV-1 every posting sums to zero": """
        SELECT 'posting ' || posting_id || ' comes to ' || sum(amount) FROM ledger_lines
        GROUP BY posting_id, token_id HAVING sum(amount) <> 0
    """,
    "INV-1 a balance is the sum of its lines": """
        SELECT 'account ' || account_id || ' holds ' || COALESCE(b.held, 0) || ' of ' || token_id || ', its lines say '
               || COALESCE(l.told, 0)
        FROM (SELECT user_id AS account_id, token_id, available + locked AS held FROM user_balances) AS b
        FULL JOIN (
            SELECT account_id, token_id, sum(amount) AS told FROM ledger_lines
            WHERE account_id NOT IN (SELECT account_id FROM ledger_accounts WHERE kind IN ('chain', 'suspense'))
            GROUP BY account_id, token_id) AS l USING (account_id, token_id)
        WHERE COALESCE(b.held, 0) <> COALESCE(l.told, 0)
    """,
    "INV-1 what all hold is what the vault owes": """
        SELECT 'token ' || token_id || ': held ' || COALESCE(b.held, 0) || ', owed ' || -COALESCE(o.owed, 0)
        FROM (SELECT token_id, sum(available + locked) AS held FROM user_balances GROUP BY token_id) AS b
        FULL JOIN (
            SELECT token_id, sum(amount) AS owed FROM ledger_lines
            WHERE account_id IN (SELECT account_id FROM ledger_accounts WHERE kind IN ('chain', 'suspense'))
            GROUP BY token_id) AS o USING (token_id)
        WHERE COALESCE(b.held, 0) <> -COALESCE(o.owed, 0)
    """,
    "INV-1 a checkpoint is the sum of the lines before it": """
        SELECT 'checkpoint of ' || account_id || ' at line ' || line_id FROM (
            SELECT c.account_id, c.token_id, c.line_id,
                   c.balance - lag(c.balance, 1, 0) OVER further AS gained, lag(c.line_id, 1, 0) OVER further AS after
            FROM ledger_checkpoints c WINDOW further AS (PARTITION BY account_id, token_id ORDER BY line_id)
        ) AS c
        WHERE gained IS DISTINCT FROM (
            SELECT sum(l.amount) FROM ledger_lines l
            WHERE (l.account_id, l.token_id) = (c.account_id, c.token_id)
              AND l.line_id > c.after AND l.line_id <= c.line_id)
    """,
    "INV-2 no balance is negative, every amount is a number": """
        SELECT 'balance of ' || user_id || ' in ' || token_id FROM user_balances
        WHERE NOT (available >= 0 AND locked >= 0 AND available < 'Infinity' AND locked < 'Infinity')
        UNION ALL
        SELECT 'line ' || line_id FROM ledger_lines WHERE amount IN ('NaN', 'Infinity', '-Infinity', 0)
        UNION ALL
        SELECT 'hold of ' || owner_type || ' ' || owner_id FROM holds WHERE NOT (amount > 0 AND amount < 'Infinity')
    """,
    "INV-3 what is locked is what is held for somebody": """
        SELECT 'account ' || account_id || ' has ' || COALESCE(b.locked, 0) || ' of ' || token_id || ' locked and '
               || COALESCE(h.held, 0) || ' held'
        FROM (SELECT user_id AS account_id, token_id, locked FROM user_balances) AS b
        FULL JOIN (SELECT account_id, token_id, sum(amount) AS held FROM open_holds GROUP BY account_id, token_id) AS h
            USING (account_id, token_id)
        WHERE COALESCE(b.locked, 0) <> COALESCE(h.held, 0)
    """,
    "INV-3 every hold has an open owner, every open owner its hold": """
        SELECT h.owner_type || ' ' || h.owner_id || ' is ' || COALESCE(o.status, 'unknown') || ' and has a hold'
        FROM holds h LEFT JOIN (
            SELECT 'withdrawal' AS owner_type, withdrawal_id AS owner_id, status FROM withdrawal_requests
            UNION ALL SELECT 'transfer', transfer_id, status FROM transfers) AS o USING (owner_type, owner_id)
        WHERE h.owner_type IN ('withdrawal', 'transfer')
          AND COALESCE(o.status, '') IN ('', 'COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED')
        UNION ALL
        SELECT o.owner_type || ' ' || o.owner_id || ' is ' || o.status || ' without its hold'
        FROM (
            SELECT 'withdrawal' AS owner_type, withdrawal_id AS owner_id, user_id, token_id, amount, status
            FROM withdrawal_requests WHERE status NOT IN ('COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED')
            UNION ALL
            SELECT 'transfer', transfer_id, from_user_id, token_id, amount, status
            FROM transfers WHERE status NOT IN ('COMPLETED', 'FAILED')) AS o
        WHERE NOT EXISTS (
            SELECT 1 FROM holds h WHERE (h.owner_type, h.owner_id, h.account_id, h.token_id, h.amount)
                = (o.owner_type, o.owner_id, o.user_id, o.token_id, o.amount))
    """,
}
