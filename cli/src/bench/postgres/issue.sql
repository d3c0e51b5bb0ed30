-- What a bureau would write with PostgreSQL alone: the rules of measure 15, an
-- idempotency table, a budget, and a hash chain, in one function and so in one
-- transaction for each claim.

CREATE TABLE head (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,
    hash     bytea NOT NULL
);
INSERT INTO head (position, hash) VALUES (0, sha256('genesis'));

CREATE TABLE event (
    position bigint PRIMARY KEY,
    stream   bytea NOT NULL,
    body     bytea NOT NULL,
    failures text[] NOT NULL,
    hash     bytea NOT NULL
);

CREATE TABLE request (
    id       bytea PRIMARY KEY,
    content  bytea NOT NULL,
    position bigint NOT NULL
);

CREATE TABLE status (
    person bytea PRIMARY KEY,
    since  date NOT NULL,
    until  date
);

CREATE TABLE budget (
    fund         text NOT NULL,
    year         int NOT NULL,
    appropriated bigint NOT NULL,
    committed    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (fund, year)
);
INSERT INTO budget (fund, year, appropriated)
SELECT 'employment-city', year, 900000000000000 FROM generate_series(2023, 2026) AS year;

CREATE TABLE subsidy (
    worker   bytea NOT NULL,
    employer bytea NOT NULL,
    year     int NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (worker, year),
    UNIQUE (worker, employer)
);

CREATE FUNCTION issue(
    in_id bytea, in_worker bytea, in_employer bytea, in_first date, in_last date,
    in_insured date, in_amount bigint, in_fund text, in_body bytea,
    OUT out_position bigint, OUT out_hash bytea, OUT out_failures text[]
) LANGUAGE plpgsql AS $$
DECLARE
    content   bytea := sha256(in_body);
    known     request;
    in_year   int := extract(year FROM in_first);
    money_left bigint;
    chain     bytea;
BEGIN
    SELECT * INTO known FROM request WHERE id = in_id;
    IF FOUND THEN
        IF known.content <> content THEN
            RAISE EXCEPTION 'REQUEST_ID_REUSED';
        END IF;
        SELECT e.position, e.hash, e.failures INTO out_position, out_hash, out_failures
        FROM event e WHERE e.position = known.position;
        RETURN;
    END IF;

    out_failures := '{}';
    IF in_first < '2023-12-17' OR in_first >= '2026-12-17' THEN
        out_failures := out_failures || 'OUT_OF_WINDOW'::text;
    END IF;
    IF in_amount <> 30000 THEN
        out_failures := out_failures || 'M15_AMOUNT'::text;
    END IF;
    IF in_insured IS NULL OR in_last + 1 < in_first + interval '1 year' THEN
        out_failures := out_failures || 'M15_CONTRACT'::text;
    END IF;
    PERFORM 1 FROM status
    WHERE person = in_worker AND since <= in_first AND (until IS NULL OR in_first < until);
    IF NOT FOUND THEN
        out_failures := out_failures || 'M15_NOT_ELIGIBLE'::text;
    END IF;
    PERFORM 1 FROM subsidy WHERE worker = in_worker AND employer = in_employer;
    IF FOUND THEN
        out_failures := out_failures || 'M15_DUP'::text;
    END IF;
    PERFORM 1 FROM subsidy WHERE worker = in_worker AND year = in_year;
    IF FOUND THEN
        out_failures := out_failures || 'M15_DUP'::text;
    END IF;
    SELECT appropriated - committed INTO money_left FROM budget
    WHERE fund = in_fund AND year = in_year FOR UPDATE;
    IF money_left IS NULL OR money_left < in_amount THEN
        out_failures := out_failures || 'BUDGET_EXCEEDED'::text;
    END IF;

    SELECT position + 1, hash INTO out_position, chain FROM head FOR UPDATE;
    out_hash := sha256(chain || in_body);
    INSERT INTO event VALUES (out_position, in_worker, in_body, out_failures, out_hash);
    UPDATE head SET position = out_position, hash = out_hash;
    INSERT INTO request VALUES (in_id, content, out_position);
    IF out_failures = '{}' THEN
        UPDATE budget SET committed = committed + in_amount
        WHERE fund = in_fund AND year = in_year;
        INSERT INTO subsidy VALUES (in_worker, in_employer, in_year, out_position);
    END IF;
END
$$;
