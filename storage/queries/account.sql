-- name: SaveAccount :exec
INSERT INTO accounts (id, gone, seen, email, body) VALUES (@id, @gone, @seen, @email, @body)
ON CONFLICT (id) DO UPDATE SET gone = excluded.gone, seen = excluded.seen, email = excluded.email, body = excluded.body;

-- name: SeeAccount :execrows
-- The WHERE clause is the guard: what was seen later stays.
INSERT INTO accounts (id, gone, seen, email, body) VALUES (@id, @gone, @seen, @email, @body)
ON CONFLICT (id) DO UPDATE SET gone = excluded.gone, seen = excluded.seen, email = excluded.email, body = excluded.body
WHERE accounts.seen <= excluded.seen;

-- name: Account :one
SELECT * FROM accounts WHERE id = @id;

-- name: Accounts :many
SELECT * FROM accounts ORDER BY id;

-- name: Baseline :many
SELECT body FROM accounts WHERE NOT gone ORDER BY id;

-- name: BaselineByEmail :many
SELECT body FROM accounts WHERE NOT gone AND email = @email ORDER BY id;

-- name: AccountsAfter :many
SELECT * FROM accounts WHERE id > @after ORDER BY id LIMIT @page;
