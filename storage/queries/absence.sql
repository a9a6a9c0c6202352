-- name: InsertAbsence :execrows
INSERT INTO absences (id, revision, identity, starts, ends, body) VALUES (@id, @revision, @identity, @starts, @ends, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateAbsence :execrows
-- The WHERE clause is the lock, as for requests.
UPDATE absences SET id = @id, revision = @revision, identity = @identity, starts = @starts, ends = @ends, body = @body
 WHERE id = @id AND revision + 1 = @revision;

-- name: AbsenceByID :one
SELECT body FROM absences WHERE id = @id;

-- name: AbsencesAt :many
SELECT body FROM absences WHERE ends > @at AND starts <= @at ORDER BY starts, id;

-- name: AbsencesOf :many
SELECT body FROM absences WHERE identity = @identity AND ends > @at ORDER BY starts, id;

-- name: AbsencesAfter :many
SELECT * FROM absences WHERE id > @after ORDER BY id LIMIT @page;
