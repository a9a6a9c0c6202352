-- name: InsertCase :execrows
INSERT INTO cases (id, open, revision, identity, source, key, opened_at, body)
VALUES (@id, @open, @revision, @identity, @source, @key, @opened_at, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateCase :execrows
-- The WHERE clause is the lock: of two who answer at once, one updates a row and
-- the other updates none.
UPDATE cases
   SET id = @id, open = @open, revision = @revision, identity = @identity, source = @source, key = @key, opened_at = @opened_at, body = @body
 WHERE id = @id AND revision + 1 = @revision;

-- name: CaseByID :one
SELECT body FROM cases WHERE id = @id;

-- name: OpenCases :many
SELECT body FROM cases WHERE open ORDER BY opened_at, id;

-- name: CasesAbout :many
SELECT body FROM cases
 WHERE open AND ((identity = @identity AND identity <> '') OR (source = @source AND key = @key AND key <> '')) ORDER BY opened_at, id;

-- name: CasesAfter :many
SELECT * FROM cases WHERE id > @after ORDER BY id LIMIT @page;
