-- +goose Up
-- What no rule can tell and a person must, what waits until two people have
-- looked, and what the sources of truth have sent.

-- Who had which address, for as long as it is reserved. Like identity_keys it
-- only repeats what the identities say.
CREATE TABLE former_addresses (
    email    TEXT   NOT NULL, -- folded
    identity TEXT   NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (email, identity)
);
CREATE INDEX former_addresses_identity ON former_addresses (identity);

-- What sources knew somebody by before. Whom a source knows now is in identity_keys.
CREATE TABLE earlier_keys (
    source   TEXT NOT NULL,
    key      TEXT NOT NULL,
    identity TEXT NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE INDEX earlier_keys_identity ON earlier_keys (identity);

CREATE TABLE cases (
    id        TEXT    NOT NULL PRIMARY KEY,
    open      BOOLEAN NOT NULL,
    revision  BIGINT  NOT NULL,
    identity  TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    opened_at BIGINT  NOT NULL,
    body      TEXT    NOT NULL
);
CREATE INDEX cases_open ON cases (opened_at, id) WHERE open;
CREATE INDEX cases_identity ON cases (identity) WHERE open AND identity <> '';
CREATE INDEX cases_key ON cases (source, key) WHERE open AND key <> '';

CREATE TABLE holds (
    id        TEXT    NOT NULL PRIMARY KEY,
    kind      TEXT    NOT NULL CHECK (kind IN ('leavers', 'movers', 'policy', 'source')),
    source    TEXT    NOT NULL,
    policy    TEXT    NOT NULL,
    open      BOOLEAN NOT NULL,
    revision  BIGINT  NOT NULL,
    opened_at BIGINT  NOT NULL,
    body      TEXT    NOT NULL
);
CREATE INDEX holds_open ON holds (opened_at, id) WHERE open;
-- Of two replicas that stop the same thing at once, one opens the hold.
CREATE UNIQUE INDEX holds_one ON holds (kind, source, policy) WHERE open;

CREATE TABLE removals (
    notice   TEXT   NOT NULL PRIMARY KEY,
    identity TEXT   NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('queued', 'passed', 'held', 'refused', 'overtaken')),
    hold     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
CREATE INDEX removals_at ON removals (at, notice);
CREATE INDEX removals_state ON removals (state, at);
CREATE INDEX removals_identity ON removals (identity);
CREATE INDEX removals_hold ON removals (hold) WHERE hold <> '';

CREATE TABLE sources (
    name     TEXT   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    body     TEXT   NOT NULL
);

-- When each source was last heard and how often, and how far one was read that is
-- read. They move all the time and say nothing, so no line of the trail speaks of them.
CREATE TABLE source_heard (
    name  TEXT   NOT NULL PRIMARY KEY,
    at    BIGINT NOT NULL,
    times BIGINT NOT NULL
);
CREATE TABLE cursors (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- What is deleted keeps its row, without what it said of anybody, so that the
-- trail can vouch for its end.
CREATE TABLE resources (
    client      TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('user', 'group')),
    id          TEXT    NOT NULL,
    version     BIGINT  NOT NULL,
    gone        BOOLEAN NOT NULL,
    name        TEXT    NOT NULL, -- folded
    external_id TEXT    NOT NULL,
    created     BIGINT  NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (client, kind, id)
);
CREATE UNIQUE INDEX resources_name ON resources (client, kind, name) WHERE NOT gone;
CREATE INDEX resources_external ON resources (client, kind, external_id) WHERE NOT gone AND external_id <> '';
CREATE INDEX resources_created ON resources (client, kind, created, id) WHERE NOT gone;

-- The addresses of users. Like identity_keys it only repeats what the resources say.
CREATE TABLE resource_emails (
    client TEXT NOT NULL,
    email  TEXT NOT NULL, -- folded
    id     TEXT NOT NULL,
    PRIMARY KEY (client, email, id)
);
CREATE INDEX resource_emails_id ON resource_emails (client, id);

CREATE TABLE resource_members (
    client   TEXT    NOT NULL,
    group_id TEXT    NOT NULL,
    user_id  TEXT    NOT NULL,
    gone     BOOLEAN NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (client, group_id, user_id)
);
CREATE INDEX resource_members_user ON resource_members (client, user_id) WHERE NOT gone;

-- The text of every policy that is or was in force, or waits.
CREATE TABLE policies (
    sha256   TEXT   NOT NULL PRIMARY KEY,
    in_force BIGINT NOT NULL, -- counts up whenever one comes into force; 0 when it never was
    body     TEXT   NOT NULL
);
CREATE UNIQUE INDEX policies_in_force ON policies (in_force) WHERE in_force > 0;
