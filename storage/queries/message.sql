-- name: SaveMessage :exec
INSERT INTO messages (key, request, intended, body) VALUES (@key, @request, @intended, @body)
ON CONFLICT (key) DO UPDATE SET request = excluded.request, intended = excluded.intended, body = excluded.body;

-- name: Message :one
SELECT body FROM messages WHERE key = @key;

-- name: Messages :many
SELECT body FROM messages WHERE request = @request ORDER BY intended, key;

-- name: MessagesAfter :many
SELECT * FROM messages WHERE key > @after ORDER BY key LIMIT @page;
