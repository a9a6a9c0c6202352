-- name: InsertFact :execrows
-- No row is inserted where the source has said this before, also when it says
-- it twice at the same moment.
INSERT INTO facts (id, source, event_id, body) VALUES (@id, @source, @event_id, @body)
ON CONFLICT (source, event_id) DO NOTHING;

-- name: Fact :one
SELECT body FROM facts WHERE id = @id;

-- name: StandingFact :one
SELECT id FROM facts WHERE source = @source AND event_id = @event_id;

-- name: FactsAfter :many
SELECT * FROM facts WHERE id > @after ORDER BY id LIMIT @page;
