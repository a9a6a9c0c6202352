-- name: InsertPolicy :execrows
INSERT INTO policies (sha256, in_force, body) VALUES (@sha256, @in_force, @body)
ON CONFLICT (sha256) DO NOTHING;

-- name: PutPolicy :exec
INSERT INTO policies (sha256, in_force, body) VALUES (@sha256, @in_force, @body)
ON CONFLICT (sha256) DO UPDATE SET in_force = excluded.in_force, body = excluded.body;

-- name: PolicyInForce :one
SELECT body FROM policies WHERE in_force > 0 ORDER BY in_force DESC LIMIT 1;

-- name: Policy :one
SELECT body FROM policies WHERE sha256 = @sha256;

-- name: PoliciesAfter :many
SELECT * FROM policies WHERE sha256 > @after ORDER BY sha256 LIMIT @page;
