-- name: InsertRequest :execrows
INSERT INTO requests (id, kind, state, open, revision, subject, account, opened_at, updated_at, body)
VALUES (@id, @kind, @state, @open, @revision, @subject, @account, @opened_at, @updated_at, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateRequest :execrows
-- The WHERE clause is the lock: of two approvers who act at once, one updates a
-- row and the other updates none. The id is set to itself so that a row is the
-- argument as it is.
UPDATE requests
   SET id = @id, kind = @kind, state = @state, open = @open, revision = @revision, subject = @subject,
       account = @account, opened_at = @opened_at, updated_at = @updated_at, body = @body
 WHERE id = @id AND revision + 1 = @revision;

-- name: Request :one
SELECT body FROM requests WHERE id = @id;

-- name: RequestsBySubject :many
SELECT body FROM requests WHERE subject = @subject ORDER BY opened_at, id;

-- name: RequestsByAccount :many
SELECT body FROM requests WHERE account = @account ORDER BY opened_at, id;

-- name: RequestsByState :many
-- In no order: those of several states are put in order together, and to sort ten
-- thousand bodies here spills to the disk.
SELECT body FROM requests WHERE state = @state AND updated_at >= @since;

-- name: RequestsSince :many
SELECT body FROM requests WHERE updated_at >= @since ORDER BY opened_at, id;

-- name: NewestRequests :many
SELECT body FROM requests ORDER BY opened_at DESC, id DESC LIMIT @page;

-- name: RequestsEnding :many
SELECT r.body FROM request_ends e JOIN requests r ON r.id = e.request WHERE e.ends > @after ORDER BY r.opened_at, r.id;

-- name: NoteRequestEnd :exec
INSERT INTO request_ends (request, ends) VALUES (@request, @ends) ON CONFLICT (request) DO UPDATE SET ends = excluded.ends;

-- name: DropRequestEnd :exec
DELETE FROM request_ends WHERE request = @request;

-- name: RequestEndsAfter :many
SELECT * FROM request_ends WHERE request > @after ORDER BY request LIMIT @page;

-- name: RequestsAfter :many
SELECT * FROM requests WHERE id > @after ORDER BY id LIMIT @page;
