-- name: InsertFinding :execrows
INSERT INTO findings (id, cleared, body) VALUES (@id, @cleared, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateFinding :exec
UPDATE findings SET id = @id, cleared = @cleared, body = @body WHERE id = @id;

-- name: LockFinding :one
-- Setting the id to itself takes the row's lock on PostgreSQL; on SQLite the
-- transaction already holds the only one there is.
UPDATE findings SET id = @id WHERE id = @id RETURNING body;

-- name: Finding :one
SELECT body FROM findings WHERE id = @id;

-- name: OpenFindings :many
SELECT body FROM findings WHERE NOT cleared ORDER BY id;

-- name: FindingsAfter :many
SELECT * FROM findings WHERE id > @after ORDER BY id LIMIT @page;

-- name: InsertException :execrows
INSERT INTO exceptions (id, ends, body) VALUES (@id, @ends, @body)
ON CONFLICT (id) DO NOTHING;

-- name: Exception :one
SELECT body FROM exceptions WHERE id = @id;

-- name: StandingExceptions :many
SELECT body FROM exceptions WHERE ends > @at ORDER BY id;

-- name: ExceptionsAfter :many
SELECT * FROM exceptions WHERE id > @after ORDER BY id LIMIT @page;
