-- name: InsertIdentity :execrows
INSERT INTO identities (id, revision, email, slack, account, sourced, body)
VALUES (@id, @revision, @email, @slack, @account, @sourced, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateIdentity :execrows
-- The WHERE clause is the lock: of two who act at once, one updates a row and
-- the other updates none. The id is set to itself so that a row is the argument as it is.
UPDATE identities
   SET id = @id, revision = @revision, email = @email, slack = @slack, account = @account, sourced = @sourced, body = @body
 WHERE id = @id AND revision + 1 = @revision;

-- name: Identity :one
SELECT body FROM identities WHERE id = @id;

-- name: Identities :many
SELECT body FROM identities ORDER BY id;

-- name: IdentitiesByEmail :many
SELECT body FROM identities WHERE email = @email ORDER BY id;

-- name: IdentityBySlack :one
SELECT body FROM identities WHERE slack = @slack AND slack <> '';

-- name: IdentityByAccount :one
SELECT body FROM identities WHERE account = @account AND account <> '';

-- name: IdentityByKey :one
SELECT i.body FROM identity_keys k JOIN identities i ON i.id = k.identity WHERE k.source = @source AND k.key = @key;

-- name: IdentitiesAfter :many
SELECT * FROM identities WHERE id > @after ORDER BY id LIMIT @page;

-- name: DeleteIdentityKeys :exec
DELETE FROM identity_keys WHERE identity = @identity;

-- name: InsertIdentityKey :execrows
INSERT INTO identity_keys (source, key, identity) VALUES (@source, @key, @identity)
ON CONFLICT (source, key) DO NOTHING;

-- name: IdentityKeysAfter :many
SELECT * FROM identity_keys WHERE (source = @source AND key > @key) OR source > @source ORDER BY source, key LIMIT @page;

-- name: DeleteFormerAddresses :exec
DELETE FROM former_addresses WHERE identity = @identity;

-- name: InsertFormerAddress :exec
INSERT INTO former_addresses (email, identity, until) VALUES (@email, @identity, @until);

-- name: IdentitiesFormerly :many
SELECT i.body FROM former_addresses f JOIN identities i ON i.id = f.identity WHERE f.email = @email AND f.until > @at ORDER BY i.id;

-- name: FormerAddressesAfter :many
SELECT * FROM former_addresses WHERE (email, identity) > (@email, @identity) ORDER BY email, identity LIMIT @page;

-- name: IdentitiesKnownBy :many
SELECT i.body FROM identity_keys k JOIN identities i ON i.id = k.identity WHERE k.source = @source AND k.key > @after ORDER BY k.key LIMIT @page;

-- name: KeyOwners :many
SELECT k.identity FROM identity_keys k WHERE k.source = @source AND k.key = @key
UNION ALL
SELECT e.identity FROM earlier_keys e WHERE e.source = @source AND e.key = @key;

-- name: IdentityByEarlierKey :one
SELECT i.body FROM earlier_keys k JOIN identities i ON i.id = k.identity WHERE k.source = @source AND k.key = @key;

-- name: DeleteEarlierKeys :exec
DELETE FROM earlier_keys WHERE identity = @identity;

-- name: InsertEarlierKey :execrows
INSERT INTO earlier_keys (source, key, identity) VALUES (@source, @key, @identity)
ON CONFLICT (source, key) DO NOTHING;

-- name: EarlierKeysAfter :many
SELECT * FROM earlier_keys WHERE (source, key) > (@source, @key) ORDER BY source, key LIMIT @page;
