-- name: SaveAccount :exec
INSERT INTO accounts (id, gone, seen, body) VALUES (@id, @gone, @seen, @body)
ON CONFLICT (id) DO UPDATE SET gone = excluded.gone, seen = excluded.seen, body = excluded.body;

-- name: Accounts :many
SELECT * FROM accounts ORDER BY id;

-- name: Baseline :many
SELECT body FROM accounts WHERE NOT gone ORDER BY id;

-- name: AccountsAfter :many
SELECT * FROM accounts WHERE id > @after ORDER BY id LIMIT @page;
