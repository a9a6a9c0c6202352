-- +goose Up
-- Who is away, who is in the groups that the policy names, what ends, and how
-- many findings stood each day.

CREATE TABLE absences (
    id       TEXT   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    identity TEXT   NOT NULL,
    starts   BIGINT NOT NULL,
    ends     BIGINT NOT NULL, -- when they are back, planned or not
    body     TEXT   NOT NULL
);
CREATE INDEX absences_ends ON absences (ends);
CREATE INDEX absences_identity ON absences (identity, ends);

CREATE TABLE user_groups (
    id       TEXT   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    body     TEXT   NOT NULL
);
-- When each was last read and found as it is stored. That moves all the time and
-- says nothing, so no line of the trail speaks of it.
CREATE TABLE group_reads (
    id TEXT   NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE tallies (
    day  TEXT   NOT NULL PRIMARY KEY,
    at   BIGINT NOT NULL, -- of that day's last roll call
    body TEXT   NOT NULL
);

-- When what a request gives ends, and which accounts are managers of which team.
-- Like identity_keys both only repeat what other rows say.
CREATE TABLE request_ends (
    request TEXT   NOT NULL PRIMARY KEY,
    ends    BIGINT NOT NULL
);
CREATE INDEX request_ends_ends ON request_ends (ends);

CREATE TABLE team_managers (
    team    TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (team, account)
);
CREATE INDEX team_managers_account ON team_managers (account);
