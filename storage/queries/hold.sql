-- name: InsertHold :execrows
INSERT INTO holds (id, kind, source, policy, open, revision, opened_at, body)
VALUES (@id, @kind, @source, @policy, @open, @revision, @opened_at, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateHold :execrows
-- The WHERE clause is the lock: of two who decide at once, one updates a row and
-- the other updates none.
UPDATE holds
   SET id = @id, kind = @kind, source = @source, policy = @policy, open = @open, revision = @revision, opened_at = @opened_at, body = @body
 WHERE id = @id AND revision + 1 = @revision;

-- name: Hold :one
SELECT body FROM holds WHERE id = @id;

-- name: OpenHolds :many
SELECT body FROM holds WHERE open ORDER BY opened_at, id;

-- name: HoldsAfter :many
SELECT * FROM holds WHERE id > @after ORDER BY id LIMIT @page;

-- name: InsertRemoval :execrows
INSERT INTO removals (notice, identity, state, hold, at, body) VALUES (@notice, @identity, @state, @hold, @at, @body)
ON CONFLICT (notice) DO NOTHING;

-- name: UpdateRemoval :execrows
-- What is settled stays as it is, and what a hold stops moves only for whoever
-- knows of that hold: a judgement made before it was stopped does not let it go.
UPDATE removals SET notice = @notice, identity = @identity, state = @state, hold = @hold, at = @at, body = @body
 WHERE notice = @notice AND (state = 'queued' OR (state = 'held' AND hold = @hold));

-- name: Removal :one
SELECT body FROM removals WHERE notice = @notice;

-- name: RemovalsSince :many
SELECT body FROM removals WHERE at >= @since OR state = 'queued' OR state = 'held' ORDER BY at, notice;

-- name: RemovalsAbout :many
SELECT body FROM removals WHERE identity = @identity ORDER BY at, notice;

-- name: RemovalsOf :many
SELECT body FROM removals WHERE hold = @hold AND hold <> '' ORDER BY at, notice;

-- name: RemovalsAfter :many
SELECT * FROM removals WHERE notice > @after ORDER BY notice LIMIT @page;
