-- +goose Up
-- Every row keeps the domain's value as JSON in body, beside the columns that
-- are looked up by. A column only ever repeats what body says; `rolecall audit
-- verify` holds the two together. Times are microseconds since 1970 in UTC, 0 for none.

CREATE TABLE facts (
    id       TEXT   NOT NULL PRIMARY KEY,
    source   TEXT   NOT NULL,
    event_id TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    UNIQUE (source, event_id) -- a repeat of what a source said is no other fact
);

CREATE TABLE identities (
    id       TEXT    NOT NULL PRIMARY KEY,
    revision BIGINT  NOT NULL,
    email    TEXT    NOT NULL, -- the primary address, folded; '' when there is none
    slack    TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    sourced  BOOLEAN NOT NULL,
    body     TEXT    NOT NULL
);
CREATE INDEX identities_email ON identities (email);
CREATE UNIQUE INDEX identities_slack ON identities (slack) WHERE slack <> '';
CREATE UNIQUE INDEX identities_account ON identities (account) WHERE account <> '';
-- Of two replicas that admit the same person named in the policy, one wins.
CREATE UNIQUE INDEX identities_admitted ON identities (email) WHERE NOT sourced AND email <> '';

CREATE TABLE identity_keys (
    source   TEXT NOT NULL,
    key      TEXT NOT NULL,
    identity TEXT NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE INDEX identity_keys_identity ON identity_keys (identity);

CREATE TABLE notices (
    id       TEXT NOT NULL PRIMARY KEY,
    identity TEXT NOT NULL,
    body     TEXT NOT NULL
);

CREATE TABLE requests (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'holding', 'applying', 'done', 'failed', 'blocked', 'denied', 'expired', 'withdrawn')),
    open       BOOLEAN NOT NULL, -- something may still come of it
    revision   BIGINT  NOT NULL,
    subject    TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    opened_at  BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    body       TEXT    NOT NULL
);
CREATE INDEX requests_subject ON requests (subject);
CREATE INDEX requests_account ON requests (account);
CREATE INDEX requests_state ON requests (state, updated_at);
CREATE INDEX requests_updated ON requests (updated_at);
CREATE INDEX requests_opened ON requests (opened_at, id);
CREATE INDEX requests_kind ON requests (kind, opened_at);

CREATE TABLE findings (
    id      TEXT    NOT NULL PRIMARY KEY,
    cleared BOOLEAN NOT NULL,
    body    TEXT    NOT NULL
);
CREATE INDEX findings_open ON findings (id) WHERE NOT cleared;

CREATE TABLE exceptions (
    id     TEXT   NOT NULL PRIMARY KEY,
    ends   BIGINT NOT NULL,
    body   TEXT   NOT NULL
);
CREATE INDEX exceptions_ends ON exceptions (ends);

-- What each PagerDuty account held at the last whole roll call, or after a
-- verified change since. An account that is gone keeps its row, so that a roll
-- call whose snapshot is older than the deletion does not bring it back.
CREATE TABLE accounts (
    id    TEXT    NOT NULL PRIMARY KEY,
    gone  BOOLEAN NOT NULL,
    seen  BIGINT  NOT NULL,
    email TEXT    NOT NULL, -- folded; '' when it is gone
    body  TEXT    NOT NULL
);
CREATE INDEX accounts_email ON accounts (email) WHERE NOT gone;

CREATE TABLE messages (
    key      TEXT   NOT NULL PRIMARY KEY,
    request  TEXT   NOT NULL,
    intended BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
CREATE INDEX messages_request ON messages (request, intended);

-- When something that must not be missed was last done.
CREATE TABLE marks (
    name TEXT   NOT NULL PRIMARY KEY,
    at   BIGINT NOT NULL,
    body TEXT   NOT NULL
);

-- The trail. How a line is chained, and what record means, is said in trail.go.
CREATE TABLE audit_events (
    seq           BIGINT NOT NULL PRIMARY KEY,
    at            BIGINT NOT NULL,
    actor         TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    ref           TEXT   NOT NULL,
    detail        TEXT   NOT NULL,
    record        TEXT   NOT NULL,
    record_sha256 TEXT   NOT NULL,
    prev          TEXT   NOT NULL,
    hash          TEXT   NOT NULL
);

CREATE TABLE audit_records (
    seq    BIGINT NOT NULL,
    record TEXT   NOT NULL,
    sha256 TEXT   NOT NULL,
    PRIMARY KEY (seq, record)
);

CREATE TABLE audit_head (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
