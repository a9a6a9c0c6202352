-- name: LockHead :one
-- Setting seq to itself takes the row's lock on PostgreSQL, so that lines are
-- numbered one transaction after the other; on SQLite the transaction already
-- holds the only lock there is.
UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash;

-- name: AdvanceHead :exec
UPDATE audit_head SET seq = @seq, hash = @hash WHERE id = 1;

-- name: Head :one
SELECT seq, hash FROM audit_head WHERE id = 1;

-- name: AppendLine :exec
INSERT INTO audit_events (seq, at, actor, kind, ref, detail, record, record_sha256, prev, hash)
VALUES (@seq, @at, @actor, @kind, @ref, @detail, @record, @record_sha256, @prev, @hash);

-- name: AppendRecord :exec
INSERT INTO audit_records (seq, record, sha256) VALUES (@seq, @record, @sha256);

-- name: LinesAfter :many
SELECT * FROM audit_events WHERE seq > @after ORDER BY seq LIMIT @page;

-- name: CountLines :one
SELECT count(*) FROM audit_events;

-- name: RecordsOfLine :many
SELECT record, sha256 FROM audit_records WHERE seq = @seq ORDER BY record;
