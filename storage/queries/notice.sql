-- name: InsertNotice :execrows
INSERT INTO notices (id, identity, body) VALUES (@id, @identity, @body)
ON CONFLICT (id) DO NOTHING;

-- name: Notice :one
SELECT body FROM notices WHERE id = @id;

-- name: NoticesAfter :many
SELECT * FROM notices WHERE id > @after ORDER BY id LIMIT @page;
