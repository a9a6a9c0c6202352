-- +goose Up
-- What a change is about to write to, as PagerDuty gave it right before, so that
-- the change can be undone. What is kept first for a change stays.
CREATE TABLE originals (
    change TEXT NOT NULL PRIMARY KEY,
    body   TEXT NOT NULL
);
