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

-- name: AccountsManaging :many
SELECT a.body FROM team_managers m JOIN accounts a ON a.id = m.account WHERE m.team = @team AND NOT a.gone ORDER BY a.id;

-- name: InsertTeamManager :exec
INSERT INTO team_managers (team, account) VALUES (@team, @account);

-- name: DeleteTeamManagers :exec
DELETE FROM team_managers WHERE account = @account;

-- name: TeamManagersAfter :many
SELECT * FROM team_managers WHERE (team, account) > (@team, @account) ORDER BY team, account LIMIT @page;

-- name: AccountsAfter :many
SELECT * FROM accounts WHERE id > @after ORDER BY id LIMIT @page;

-- name: CountPopulation :one
-- Of accounts that are somebody's, linked or by their address.
SELECT count(*) FROM accounts a
 WHERE NOT a.gone AND (EXISTS (SELECT 1 FROM identities i WHERE i.account = a.id AND i.account <> '')
                    OR EXISTS (SELECT 1 FROM identities i WHERE i.email = a.email AND i.email <> ''));
