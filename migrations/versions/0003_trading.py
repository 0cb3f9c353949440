"""Trading: orders, commands, trades, the writer of each pair, and the functions of intake and settlement."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PAIRS = """
ALTER TABLE users ADD COLUMN trade_group uuid;

ALTER TABLE trading_pairs
    ADD COLUMN fee_mode text NOT NULL DEFAULT 'received' CHECK (fee_mode IN ('received', 'quote')),
    ADD COLUMN fee_account_id uuid REFERENCES ledger_accounts,
    ADD COLUMN min_quantity_lots bigint NOT NULL DEFAULT 1 CHECK (min_quantity_lots > 0),
    ADD COLUMN max_quantity_lots bigint NOT NULL DEFAULT 1000000000000 CHECK (max_quantity_lots >= min_quantity_lots),
    ADD COLUMN min_notional numeric(78, 0) NOT NULL DEFAULT 0 CHECK (min_notional >= 0 AND min_notional <> 'NaN'),
    ADD COLUMN max_open_orders int NOT NULL DEFAULT 1000 CHECK (max_open_orders > 0),
    ADD COLUMN protection_bps int NOT NULL DEFAULT 500 CHECK (protection_bps BETWEEN 1 AND 9999),
    ADD COLUMN max_backlog int NOT NULL DEFAULT 5000 CHECK (max_backlog > 0);

CREATE INDEX idx_compliance_records_updated ON compliance_records (token_id, updated_at);
CREATE INDEX idx_compliance_profiles_updated ON compliance_profiles (updated_at);

CREATE TABLE pair_writer (
    pair_id uuid PRIMARY KEY REFERENCES trading_pairs,
    epoch bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    match_seq bigint NOT NULL DEFAULT 0,
    trade_number bigint NOT NULL DEFAULT 0,
    fact_seq bigint NOT NULL DEFAULT 0,
    last_price_ticks bigint NOT NULL DEFAULT 0,
    best_bid_ticks bigint NOT NULL DEFAULT 0,
    best_ask_ticks bigint NOT NULL DEFAULT 0,
    accepting boolean NOT NULL DEFAULT true
) WITH (fillfactor = 10);
"""

ORDERS = """
CREATE SEQUENCE trading_command_numbers;

CREATE TABLE orders (
    order_id uuid PRIMARY KEY,
    order_number bigint NOT NULL DEFAULT nextval('trading_command_numbers'),
    pair_id uuid NOT NULL,
    user_id uuid NOT NULL,
    trade_group uuid NOT NULL,
    side text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    order_type text NOT NULL CHECK (order_type IN ('LIMIT', 'MARKET', 'STOP_LIMIT', 'STOP_MARKET')),
    time_in_force text NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'GTD')),
    post_only boolean NOT NULL,
    self_trade text NOT NULL CHECK (self_trade IN ('EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH', 'DECREMENT')),
    quantity_lots bigint NOT NULL CHECK (quantity_lots > 0),
    price_ticks bigint NOT NULL CHECK (price_ticks > 0),
    stop_ticks bigint NOT NULL DEFAULT 0 CHECK (stop_ticks >= 0),
    trail text NOT NULL DEFAULT 'NONE' CHECK (trail IN ('NONE', 'TICKS', 'BPS')),
    trail_distance bigint NOT NULL DEFAULT 0 CHECK (trail_distance >= 0),
    max_fee_bps int NOT NULL CHECK (max_fee_bps BETWEEN 0 AND 10000),
    fee_bps int NOT NULL CHECK (fee_bps BETWEEN 0 AND 10000),
    client_order_id text,
    nonce text NOT NULL,
    expires_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'PENDING_MATCH'
        CHECK (status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL', 'FILLED', 'CANCELLED', 'REJECTED')),
    reason text,
    triggered boolean NOT NULL DEFAULT true,
    remaining_lots bigint NOT NULL CHECK (remaining_lots >= 0),
    filled_lots bigint NOT NULL DEFAULT 0 CHECK (filled_lots >= 0),
    filled_quote numeric(78, 0) NOT NULL DEFAULT 0 CHECK (filled_quote >= 0 AND filled_quote <> 'NaN'),
    fee_charged numeric(78, 0) NOT NULL DEFAULT 0 CHECK (fee_charged >= 0 AND fee_charged <> 'NaN'),
    held numeric(78, 0) NOT NULL CHECK (held >= 0 AND held <> 'NaN'),
    match_seq bigint,
    priority bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- What indexes look at: it changes once in an order's life, so that all other changes are made in place.
    living boolean NOT NULL GENERATED ALWAYS AS (status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL')) STORED,
    CHECK (filled_lots + remaining_lots <= quantity_lots),
    CHECK (status NOT IN ('FILLED', 'CANCELLED', 'REJECTED') OR held = 0)
) WITH (fillfactor = 60);
CREATE INDEX idx_orders_pair_status ON orders (pair_id, order_number) WHERE living;
CREATE INDEX idx_orders_status ON orders (user_id, pair_id) WHERE living;
CREATE INDEX idx_orders_user ON orders (user_id, order_number DESC);
CREATE UNIQUE INDEX idx_orders_client_id ON orders (user_id, client_order_id) WHERE client_order_id IS NOT NULL;

-- What was taken in together and waits to be matched: a row per commit and pair, so that an order costs nothing to
-- find. Its number is drawn after those of its orders and before those of commands about them.
CREATE TABLE waiting_orders (
    pair_id uuid NOT NULL,
    batch_number bigint NOT NULL DEFAULT nextval('trading_command_numbers'),
    order_ids uuid[] NOT NULL,
    PRIMARY KEY (pair_id, batch_number)
);

CREATE VIEW open_holds AS
    SELECT owner_type, owner_id, account_id, token_id, amount FROM holds
    UNION ALL
    SELECT 'order', o.order_id, o.user_id, CASE o.side WHEN 'BUY' THEN p.quote_token_id ELSE p.base_token_id END, o.held
    FROM orders o JOIN trading_pairs p USING (pair_id) WHERE o.held > 0;

CREATE TABLE order_commands (
    command_number bigint PRIMARY KEY DEFAULT nextval('trading_command_numbers'),
    pair_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('CANCEL', 'REDUCE', 'PAUSE', 'RESUME', 'CLOSE')),
    order_id uuid,
    remaining_lots bigint CHECK (remaining_lots >= 0),
    why text NOT NULL DEFAULT 'CANCELLED',
    actor_id uuid,
    match_seq bigint,
    effective boolean,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind IN ('CANCEL', 'REDUCE')) = (order_id IS NOT NULL)),
    CHECK ((kind = 'REDUCE') = (remaining_lots IS NOT NULL))
);
CREATE INDEX idx_order_commands_pending ON order_commands (pair_id, command_number) WHERE match_seq IS NULL;

-- Whoever has asked for it has all their orders cancelled at the deadline, unless they put it off before.
CREATE TABLE cancel_all_after (
    user_id uuid PRIMARY KEY REFERENCES users,
    deadline timestamptz NOT NULL
);
CREATE INDEX idx_cancel_all_after_deadline ON cancel_all_after (deadline);

CREATE TABLE trades (
    trade_id uuid PRIMARY KEY,
    pair_id uuid NOT NULL,
    trade_number bigint NOT NULL,
    match_seq bigint NOT NULL,
    taker_side text NOT NULL CHECK (taker_side IN ('BUY', 'SELL')),
    buy_order_id uuid NOT NULL,
    sell_order_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    price_ticks bigint NOT NULL CHECK (price_ticks > 0),
    size_lots bigint NOT NULL CHECK (size_lots > 0),
    base_amount numeric(78, 0) NOT NULL CHECK (base_amount > 0 AND base_amount <> 'NaN'),
    quote_amount numeric(78, 0) NOT NULL CHECK (quote_amount > 0 AND quote_amount <> 'NaN'),
    buyer_fee numeric(78, 0) NOT NULL CHECK (buyer_fee >= 0 AND buyer_fee <> 'NaN'),
    seller_fee numeric(78, 0) NOT NULL CHECK (seller_fee >= 0 AND seller_fee <> 'NaN'),
    settlement_status text NOT NULL DEFAULT 'PENDING',
    tx_hash text,
    executed_at timestamptz NOT NULL DEFAULT now(),
    position bigint GENERATED ALWAYS AS IDENTITY
) WITH (fillfactor = 80);
CREATE INDEX idx_trades_executed ON trades USING brin (executed_at);
CREATE UNIQUE INDEX idx_trades_pair ON trades (pair_id, trade_number);
CREATE INDEX idx_trades_buyer ON trades (buyer_id, trade_id);
CREATE INDEX idx_trades_seller ON trades (seller_id, trade_id);

CREATE TABLE trading_facts (
    position bigint GENERATED ALWAYS AS IDENTITY,
    batch_id uuid PRIMARY KEY,
    pair_id uuid NOT NULL,
    first_seq bigint,
    last_seq bigint,
    facts text NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    tx_id xid8 NOT NULL DEFAULT pg_current_xact_id()
);
-- Compressing costs more than the bytes here.
ALTER TABLE trading_facts ALTER COLUMN facts SET STORAGE EXTERNAL;
CREATE INDEX idx_trading_facts_relay ON trading_facts (tx_id, position);
CREATE UNIQUE INDEX idx_trading_facts_seq ON trading_facts (pair_id, last_seq) WHERE last_seq IS NOT NULL;
CREATE TRIGGER trading_facts_append_only BEFORE UPDATE OR DELETE ON trading_facts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER trading_facts_never_truncated BEFORE TRUNCATE ON trading_facts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Each party's trail has each of their trades: a trade is its own entry and needs no copy of itself. Positions from
-- 2^61 on, so that none of them is an event's.
CREATE OR REPLACE VIEW audit_log AS
    SELECT position, event_id, event_type AS action, actor_id, actor_type, stream_type AS entity_type,
           stream_id AS entity_id, before, after, payload AS details, correlation_id, occurred_at AS created_at
    FROM events
    UNION ALL
    SELECT 2305843009213693952 + position * 2, trade_id, 'TRADE_EXECUTED', buyer_id, 'user', 'trade', trade_id,
           NULL::jsonb, NULL::jsonb, jsonb_build_object('tradingPairId', pair_id, 'orderId', buy_order_id,
               'side', 'BUY', 'priceTicks', price_ticks, 'sizeLots', size_lots, 'baseAmount', base_amount::text,
               'quoteAmount', quote_amount::text, 'fee', buyer_fee::text, 'takerSide', taker_side),
           '', executed_at
    FROM trades
    UNION ALL
    SELECT 2305843009213693952 + position * 2 + 1, trade_id, 'TRADE_EXECUTED', seller_id, 'user', 'trade', trade_id,
           NULL::jsonb, NULL::jsonb, jsonb_build_object('tradingPairId', pair_id, 'orderId', sell_order_id,
               'side', 'SELL', 'priceTicks', price_ticks, 'sizeLots', size_lots, 'baseAmount', base_amount::text,
               'quoteAmount', quote_amount::text, 'fee', seller_fee::text, 'takerSide', taker_side),
           '', executed_at
    FROM trades;

CREATE VIEW trading_events AS
    SELECT b.position, b.pair_id, b.occurred_at, f.fact ->> 'eventId' AS event_id, f.fact ->> 'eventType' AS event_type,
           f.fact
    FROM trading_facts b
    CROSS JOIN LATERAL (SELECT line::jsonb AS fact FROM string_to_table(b.facts, E'\\n') AS line) AS f;
"""

INTAKE = """
-- Many orders in one commit, each with a verdict of its own: 0 accepted, 1 nonce used, 2 the same order again,
-- 3 client order id used, 4 not enough available, 5 idempotency key used for something else, 6 the same request
-- again: its first answer is given, 7 the order to replace is absent, 8 it is over or asked to end. What is refused
-- leaves nothing behind, and replaces nothing. A plan is kept as long as its connection: one that was made while a
-- table was small must not read the whole of it when it no longer is.
CREATE FUNCTION orders_intake(
    p_order uuid[], p_pair uuid[], p_user uuid[], p_side text[], p_type text[], p_tif text[],
    p_post boolean[], p_stp text[], p_quantity bigint[], p_price bigint[], p_stop bigint[], p_trail text[],
    p_distance bigint[], p_max_fee int[], p_fee int[], p_client text[], p_nonce text[], p_expires timestamptz[],
    p_account text[], p_digest bytea[], p_signature bytea[], p_text text[], p_token uuid[], p_hold numeric[],
    p_fact text[], p_created timestamptz[], p_key text[], p_fingerprint bytea[], p_answer bytea[], p_replaces uuid[],
    OUT verdicts int[], OUT firsts uuid[], OUT answers bytea[]
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    n int := array_length(p_order, 1);
    fresh uuid[];
    stored record;
    moved_users uuid[];
    moved_tokens uuid[];
    wanted int;
    former uuid;
    body bytea;
    k int;
BEGIN
    -- Planning a few rows anew costs more than reading them.
    IF n < 40 THEN PERFORM set_config('plan_cache_mode', 'force_generic_plan', true); END IF;
    verdicts := array_fill(0, ARRAY[n]);
    firsts := array_fill(NULL::uuid, ARRAY[n]);
    answers := array_fill(NULL::bytea, ARRAY[n]);

    IF array_length(array_remove(p_key, NULL), 1) > 0 THEN
        FOR stored IN
            SELECT a.place, i.fingerprint = a.print AS same, i.body
            FROM unnest(p_user, p_key, p_fingerprint) WITH ORDINALITY AS a (owner, key, print, place)
            JOIN idempotency_keys i ON i.principal = a.owner::text AND i.key = a.key
        LOOP
            verdicts[stored.place] := CASE WHEN stored.same THEN 6 ELSE 5 END;
            answers[stored.place] := stored.body;
        END LOOP;
    END IF;

    WITH put AS (
        INSERT INTO signed_actions (account, nonce, action, action_id, digest, signature, signed_text, expires_at)
        SELECT a.account, a.nonce, 'Order', a.id, a.digest, a.signature, a.signed::json, a.expires
        FROM unnest(p_account, p_nonce, p_order, p_digest, p_signature, p_text, p_expires, verdicts)
            WITH ORDINALITY AS a (account, nonce, id, digest, signature, signed, expires, verdict, place)
        WHERE a.verdict = 0 ORDER BY a.account, a.nonce, a.place
        ON CONFLICT DO NOTHING RETURNING action_id
    ) SELECT array_agg(action_id) INTO fresh FROM put;
    IF COALESCE(array_length(fresh, 1), 0) < n THEN
        FOR i IN 1 .. n LOOP
            IF verdicts[i] = 0 AND NOT p_order[i] = ANY (COALESCE(fresh, '{}')) THEN
                SELECT s.action_id INTO former FROM signed_actions s
                WHERE (s.account, s.nonce, s.digest) = (p_account[i], p_nonce[i], p_digest[i]);
                firsts[i] := former;
                verdicts[i] := CASE WHEN firsts[i] IS NULL THEN 1 ELSE 2 END;
                -- The same request may have been answered since we looked, by another process.
                SELECT u.body INTO body FROM idempotency_keys u
                WHERE (u.principal, u.key, u.fingerprint) = (p_user[i]::text, p_key[i], p_fingerprint[i]);
                IF FOUND THEN
                    verdicts[i] := 6;
                    answers[i] := body;
                END IF;
            END IF;
        END LOOP;
    END IF;

    IF p_replaces IS NOT NULL THEN
        -- Another process may be replacing the same order at this very moment: then what it has asked for is seen.
        PERFORM pg_advisory_xact_lock(hashtextextended(r.old::text, 0))
        FROM (SELECT DISTINCT o.old FROM unnest(p_replaces) AS o (old) WHERE o.old IS NOT NULL ORDER BY o.old) r;
        FOR stored IN
            SELECT r.place, CASE WHEN o.living THEN NOT EXISTS (
                SELECT 1 FROM order_commands k WHERE k.pair_id = r.pair AND k.match_seq IS NULL
                  AND k.order_id = r.old AND k.kind = 'CANCEL') ELSE o.living END AS living
            FROM unnest(p_replaces, p_user, p_pair, verdicts)
                WITH ORDINALITY AS r (old, owner, pair, verdict, place)
            LEFT JOIN orders o ON (o.order_id, o.user_id, o.pair_id) = (r.old, r.owner, r.pair)
            WHERE r.old IS NOT NULL AND r.verdict = 0
        LOOP
            verdicts[stored.place] := CASE WHEN stored.living IS NULL THEN 7 WHEN stored.living THEN 0 ELSE 8 END;
        END LOOP;
    END IF;

    IF array_length(array_remove(p_client, NULL), 1) > 0 THEN
        FOR k IN
            SELECT c.place FROM unnest(p_user, p_client, verdicts) WITH ORDINALITY AS c (owner, client, verdict, place)
            WHERE c.client IS NOT NULL AND c.verdict = 0 AND (
                EXISTS (SELECT 1 FROM orders o WHERE o.user_id = c.owner AND o.client_order_id = c.client)
                OR EXISTS (SELECT 1 FROM unnest(p_user, p_client) WITH ORDINALITY AS e (owner, client, place)
                           WHERE (e.owner, e.client) = (c.owner, c.client) AND e.place < c.place))
        LOOP
            verdicts[k] := 3;
            SELECT o.order_id INTO former FROM orders o
            WHERE o.user_id = p_user[k] AND o.client_order_id = p_client[k];
            firsts[k] := former;
        END LOOP;
    END IF;

    -- Balances are locked once, in key order. Whoever is short has their orders judged one after the other.
    WITH want AS (
        SELECT w.owner, w.token, sum(w.amount) AS amount
        FROM unnest(p_user, p_token, p_hold, verdicts) AS w (owner, token, amount, verdict)
        WHERE w.verdict = 0 GROUP BY 1, 2
    ), locked_rows AS MATERIALIZED (
        SELECT b.user_id, b.token_id, w.amount FROM user_balances b
        JOIN want w ON (b.user_id, b.token_id) = (w.owner, w.token)
        ORDER BY b.user_id, b.token_id FOR NO KEY UPDATE OF b
    ), moved AS (
        UPDATE user_balances b SET available = b.available - l.amount, locked = b.locked + l.amount
        FROM locked_rows l WHERE (b.user_id, b.token_id) = (l.user_id, l.token_id) AND b.available >= l.amount
        RETURNING b.user_id, b.token_id
    ) SELECT COALESCE(array_agg(user_id), '{}'), COALESCE(array_agg(token_id), '{}'), (SELECT count(*) FROM want)
      INTO moved_users, moved_tokens, wanted FROM moved;
    IF cardinality(moved_users) < wanted THEN
        FOR k IN
            SELECT w.place FROM unnest(p_user, p_token, verdicts) WITH ORDINALITY AS w (owner, token, verdict, place)
            WHERE w.verdict = 0
              AND (w.owner, w.token) NOT IN (
                  SELECT m.owner, m.token FROM unnest(moved_users, moved_tokens) AS m (owner, token))
            ORDER BY w.place
        LOOP
            UPDATE user_balances b SET available = b.available - p_hold[k], locked = b.locked + p_hold[k]
            WHERE b.user_id = p_user[k] AND b.token_id = p_token[k] AND b.available >= p_hold[k];
            IF NOT FOUND THEN verdicts[k] := 4; END IF;
        END LOOP;
    END IF;

    IF verdicts && ARRAY[3, 4, 7, 8] THEN
        DELETE FROM signed_actions s
        USING unnest(p_account, p_nonce, p_order, verdicts) AS r (account, nonce, id, verdict)
        WHERE (s.account, s.nonce, s.action_id) = (r.account, r.nonce, r.id) AND r.verdict IN (3, 4, 7, 8);
    END IF;

    -- The old one is cancelled first: its command has the lower number.
    IF p_replaces IS NOT NULL THEN
        INSERT INTO order_commands (pair_id, kind, order_id, actor_id)
        SELECT r.pair, 'CANCEL', r.old, r.owner
        FROM unnest(p_replaces, p_user, p_pair, verdicts) WITH ORDINALITY AS r (old, owner, pair, verdict, place)
        WHERE r.old IS NOT NULL AND r.verdict = 0 ORDER BY r.place;
    END IF;

    INSERT INTO orders (order_id, pair_id, user_id, trade_group, side, order_type, time_in_force, post_only,
        self_trade, quantity_lots, remaining_lots, price_ticks, stop_ticks, trail, trail_distance, max_fee_bps,
        fee_bps, client_order_id, nonce, expires_at, held, triggered, created_at)
    SELECT o.id, o.pair, o.owner, COALESCE(u.trade_group, o.owner), o.side, o.kind, o.tif, o.post, o.stp, o.quantity,
        o.quantity, o.price, o.stop, o.trail, o.distance, o.max_fee, o.fee, o.client, o.nonce, o.expires, o.hold,
        o.stop = 0 AND o.trail = 'NONE', o.created
    FROM unnest(p_order, p_pair, p_user, p_side, p_type, p_tif, p_post, p_stp, p_quantity, p_price, p_stop, p_trail,
                p_distance, p_max_fee, p_fee, p_client, p_nonce, p_expires, p_hold, p_created, verdicts)
        WITH ORDINALITY AS o (id, pair, owner, side, kind, tif, post, stp, quantity, price, stop, trail, distance,
                              max_fee, fee, client, nonce, expires, hold, created, verdict, place)
    JOIN users u ON u.user_id = o.owner
    WHERE o.verdict = 0 ORDER BY o.place;

    INSERT INTO waiting_orders (pair_id, order_ids)
    SELECT f.pair, array_agg(f.id ORDER BY f.place)
    FROM unnest(p_order, p_pair, verdicts) WITH ORDINALITY AS f (id, pair, verdict, place)
    WHERE f.verdict = 0 GROUP BY f.pair;

    IF array_length(array_remove(p_key, NULL), 1) > 0 THEN
        INSERT INTO idempotency_keys (principal, key, fingerprint, status, body)
        SELECT a.owner::text, a.key, a.print, 201, a.body
        FROM unnest(p_user, p_key, p_fingerprint, p_answer, verdicts) AS a (owner, key, print, body, verdict)
        WHERE a.verdict = 0 AND a.key IS NOT NULL ORDER BY 1, 2;
    END IF;

    INSERT INTO trading_facts (batch_id, pair_id, facts)
    SELECT (min(f.id::text))::uuid, f.pair, string_agg(f.fact, E'\\n' ORDER BY f.place)
    FROM unnest(p_order, p_pair, p_fact, verdicts) WITH ORDINALITY AS f (id, pair, fact, verdict, place)
    WHERE f.verdict = 0 GROUP BY f.pair;
END $$;
"""

SETTLE = """
-- One batch of a pair in one commit. Fenced: whoever is no longer the pair's writer, or works on a book that is
-- not the newest, changes nothing. Planned as above.
CREATE FUNCTION orders_settle(
    p_pair uuid, p_epoch bigint, p_before bigint, p_match_seq bigint, p_trade_number bigint, p_fact_seq bigint,
    p_last_price bigint, p_best_bid bigint, p_best_ask bigint, p_accepting boolean, p_moment timestamptz,
    w_number bigint[], o_id uuid[], o_status text[], o_reason text[], o_remaining bigint[], o_filled bigint[],
    o_quote numeric[], o_fee numeric[], o_held numeric[], o_triggered boolean[], o_stop bigint[], o_match bigint[],
    o_priority bigint[],
    c_number bigint[], c_match bigint[], c_effective boolean[], x_order uuid[], x_why text[], x_match bigint[],
    t_id uuid[], t_number bigint[], t_match bigint[], t_side text[], t_buy uuid[], t_sell uuid[], t_buyer uuid[],
    t_seller uuid[], t_price bigint[], t_size bigint[], t_base numeric[], t_quote numeric[], t_buyer_fee numeric[],
    t_seller_fee numeric[],
    l_posting uuid[], l_account uuid[], l_token uuid[], l_amount numeric[],
    b_account uuid[], b_token uuid[], b_available numeric[], b_locked numeric[],
    e_user uuid[], e_record bigint[], e_profile bigint[], e_token uuid, e_rules bigint, e_buyers uuid[],
    e_max_ownership numeric, e_max_holders int,
    f_batch uuid, f_first bigint, f_facts text
) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    changed int;
    stranger uuid;
BEGIN
    IF COALESCE(array_length(o_id, 1), 0) < 40 THEN
        PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
    END IF;

    UPDATE pair_writer SET match_seq = p_match_seq, trade_number = p_trade_number, fact_seq = p_fact_seq,
        last_price_ticks = p_last_price, best_bid_ticks = p_best_bid, best_ask_ticks = p_best_ask,
        accepting = p_accepting
    WHERE pair_id = p_pair AND epoch = p_epoch AND match_seq = p_before;
    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'DL003'; END IF;

    -- Both sides of every trade are as eligible now as when they were judged, by the same rules.
    IF e_token IS NOT NULL THEN
        IF e_rules <> COALESCE((SELECT version FROM compliance_rules WHERE token_id = e_token FOR SHARE), 0) THEN
            RAISE EXCEPTION 'the rules changed' USING ERRCODE = 'DL005', DETAIL = '';
        END IF;
        -- Who decides about a user holds their profile: the decision comes before this batch, or after it.
        PERFORM 1 FROM compliance_profiles p WHERE p.user_id = ANY (e_user) ORDER BY p.user_id FOR SHARE;
        SELECT e.usr INTO stranger FROM unnest(e_user, e_record, e_profile) AS e (usr, record, profile)
        LEFT JOIN compliance_records r ON r.user_id = e.usr AND r.token_id = e_token
        LEFT JOIN compliance_profiles p ON p.user_id = e.usr
        WHERE COALESCE(r.version, 0) <> e.record OR COALESCE(p.version, 0) <> e.profile LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'eligibility changed' USING ERRCODE = 'DL005', DETAIL = stranger::text;
        END IF;
    END IF;

    DELETE FROM waiting_orders w WHERE w.pair_id = p_pair AND w.batch_number = ANY (w_number);
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> COALESCE(array_length(w_number, 1), 0) THEN
        RAISE EXCEPTION 'what waited was taken before' USING ERRCODE = 'DL004';
    END IF;

    UPDATE orders o SET status = c.status, reason = COALESCE(c.reason, o.reason), remaining_lots = c.remaining,
        filled_lots = c.filled, filled_quote = c.quote, fee_charged = c.fee, held = c.held, triggered = c.triggered,
        stop_ticks = c.stop, match_seq = c.match, priority = c.priority, updated_at = now()
    FROM unnest(o_id, o_status, o_reason, o_remaining, o_filled, o_quote, o_fee, o_held, o_triggered, o_stop, o_match,
                o_priority)
        AS c (id, status, reason, remaining, filled, quote, fee, held, triggered, stop, match, priority)
    WHERE o.order_id = c.id AND o.living;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> COALESCE(array_length(o_id, 1), 0) THEN
        RAISE EXCEPTION 'an order was not as the book has it' USING ERRCODE = 'DL004';
    END IF;

    IF array_length(c_number, 1) > 0 THEN
        UPDATE order_commands k SET match_seq = c.match, effective = c.effective
        FROM unnest(c_number, c_match, c_effective) AS c (number, match, effective)
        WHERE k.command_number = c.number AND k.match_seq IS NULL;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed <> array_length(c_number, 1) THEN
            RAISE EXCEPTION 'a command was carried out before' USING ERRCODE = 'DL004';
        END IF;
    END IF;

    -- Orders that the writer itself took out: expired, or no longer eligible. Part of the log like any other command.
    IF array_length(x_order, 1) > 0 THEN
        INSERT INTO order_commands (pair_id, kind, order_id, why, match_seq, effective)
        SELECT p_pair, 'CANCEL', x.id, x.why, x.match, true FROM unnest(x_order, x_why, x_match) AS x (id, why, match);
    END IF;

    IF array_length(t_id, 1) > 0 THEN
        INSERT INTO trades (trade_id, pair_id, trade_number, match_seq, taker_side, buy_order_id, sell_order_id,
            buyer_id, seller_id, price_ticks, size_lots, base_amount, quote_amount, buyer_fee, seller_fee,
            executed_at)
        SELECT t.id, p_pair, t.number, t.match, t.side, t.buy, t.sell, t.buyer, t.seller, t.price, t.size, t.base,
            t.quote, t.buyer_fee, t.seller_fee, p_moment
        FROM unnest(t_id, t_number, t_match, t_side, t_buy, t_sell, t_buyer, t_seller, t_price, t_size, t_base, t_quote,
                    t_buyer_fee, t_seller_fee)
            AS t (id, number, match, side, buy, sell, buyer, seller, price, size, base, quote, buyer_fee, seller_fee);
    END IF;

    IF array_length(b_account, 1) > 0 THEN
        PERFORM ledger_apply(l_posting, array_fill('trade'::text, ARRAY[COALESCE(array_length(l_posting, 1), 0)]),
            l_account, l_token, l_amount, b_account, b_token, b_available, b_locked);
    END IF;

    -- What is under way to somebody by a transfer counts as theirs: the vault's event must find its place free.
    IF e_max_ownership IS NOT NULL THEN
        SELECT b.user_id INTO stranger FROM user_balances b
        WHERE b.token_id = e_token AND b.user_id = ANY (e_buyers) AND e_max_ownership < b.available + b.locked + (
            SELECT COALESCE(sum(g.amount), 0) FROM compliance_pledges g
            WHERE g.token_id = e_token AND g.receiver = b.user_id) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'ownership cap' USING ERRCODE = 'DL006', DETAIL = stranger::text;
        END IF;
    END IF;
    -- Who held nothing before is one holder more; whoever came last is the one too many.
    IF e_max_holders IS NOT NULL THEN
        SELECT b.user_id INTO stranger FROM unnest(b_account, b_token, b_available, b_locked)
            AS d (account, token, available, locked)
        JOIN user_balances b ON (b.user_id, b.token_id) = (d.account, d.token)
        JOIN tokens t ON t.token_id = d.token
        WHERE d.token = e_token AND d.account = ANY (e_buyers) AND d.account IS DISTINCT FROM t.issuer_user_id
          AND b.available + b.locked > 0 AND b.available + b.locked = d.available + d.locked
        ORDER BY array_position(t_buyer, d.account) DESC LIMIT 1;
        IF FOUND AND e_max_holders < (
            SELECT count(*) FROM user_balances b JOIN ledger_accounts a ON a.account_id = b.user_id
            JOIN tokens t ON t.token_id = b.token_id
            WHERE b.token_id = e_token AND a.kind = 'user' AND b.user_id IS DISTINCT FROM t.issuer_user_id
              AND b.available + b.locked > 0) + (
            SELECT count(DISTINCT g.receiver) FROM compliance_pledges g JOIN tokens t ON t.token_id = g.token_id
            LEFT JOIN user_balances b ON (b.user_id, b.token_id) = (g.receiver, g.token_id)
            WHERE g.token_id = e_token AND g.receiver IS DISTINCT FROM t.issuer_user_id
              AND COALESCE(b.available + b.locked, 0) = 0) THEN
            RAISE EXCEPTION 'holder count' USING ERRCODE = 'DL006', DETAIL = stranger::text;
        END IF;
    END IF;

    IF f_batch IS NOT NULL THEN
        INSERT INTO trading_facts (batch_id, pair_id, first_seq, last_seq, facts)
        VALUES (f_batch, p_pair, f_first, p_fact_seq, f_facts);
    END IF;
END $$;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON pair_writer, orders, order_commands, trades TO deedbook_app;
GRANT SELECT, INSERT ON trading_facts TO deedbook_app;
GRANT SELECT ON trading_events, open_holds TO deedbook_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cancel_all_after TO deedbook_app;
GRANT SELECT, INSERT, DELETE ON waiting_orders TO deedbook_app;
GRANT DELETE ON signed_actions TO deedbook_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO deedbook_app;
GRANT EXECUTE ON FUNCTION orders_intake, orders_settle TO deedbook_app;
"""


def upgrade() -> None:
    for part in (PAIRS, ORDERS, INTAKE, SETTLE, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
