-- name: SaveMark :exec
INSERT INTO marks (name, at, body) VALUES (@name, @at, @body)
ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: Mark :one
SELECT body FROM marks WHERE name = @name;

-- name: LockMark :one
-- Setting the name to itself takes the row's lock on PostgreSQL; on SQLite the
-- transaction already holds the only one there is.
UPDATE marks SET name = @name WHERE name = @name RETURNING body;

-- name: MarksAfter :many
SELECT * FROM marks WHERE name > @after ORDER BY name LIMIT @page;
