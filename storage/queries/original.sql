-- name: InsertOriginal :execrows
INSERT INTO originals (change, body) VALUES (@change, @body)
ON CONFLICT (change) DO NOTHING;

-- name: Original :one
SELECT body FROM originals WHERE change = @change;

-- name: OriginalsAfter :many
SELECT * FROM originals WHERE change > @after ORDER BY change LIMIT @page;
