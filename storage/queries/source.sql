-- name: InsertSource :execrows
INSERT INTO sources (name, revision, body) VALUES (@name, @revision, @body)
ON CONFLICT (name) DO NOTHING;

-- name: UpdateSource :execrows
UPDATE sources SET name = @name, revision = @revision, body = @body WHERE name = @name AND revision + 1 = @revision;

-- name: Source :one
SELECT s.body, h.at, h.times FROM sources s JOIN source_heard h ON h.name = s.name WHERE s.name = @name;

-- name: Sources :many
SELECT s.body, h.at, h.times FROM sources s JOIN source_heard h ON h.name = s.name ORDER BY s.name;

-- name: NoteHeard :exec
-- It never goes back: somebody may have heard more while the source was saved.
INSERT INTO source_heard (name, at, times) VALUES (@name, @at, @times)
ON CONFLICT (name) DO UPDATE SET
    at = CASE WHEN source_heard.at > excluded.at THEN source_heard.at ELSE excluded.at END,
    times = CASE WHEN source_heard.times > excluded.times THEN source_heard.times ELSE excluded.times END;

-- name: Heard :exec
UPDATE source_heard SET at = @at, times = times + 1 WHERE name = @name AND at < @at;

-- name: Cursor :many
SELECT value FROM cursors WHERE name = @name;

-- name: SaveCursor :exec
INSERT INTO cursors (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: SourcesAfter :many
SELECT * FROM sources WHERE name > @after ORDER BY name LIMIT @page;
