-- name: SaveMark :exec
INSERT INTO marks (name, at, body) VALUES (@name, @at, @body)
ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: Mark :one
SELECT body FROM marks WHERE name = @name;

-- name: MarksAfter :many
SELECT * FROM marks WHERE name > @after ORDER BY name LIMIT @page;
