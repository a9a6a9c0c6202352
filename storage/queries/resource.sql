-- name: InsertResource :execrows
INSERT INTO resources (client, kind, id, version, gone, name, external_id, created, body)
VALUES (@client, @kind, @id, @version, @gone, @name, @external_id, @created, @body)
ON CONFLICT (client, kind, id) DO NOTHING;

-- name: UpdateResource :execrows
-- The WHERE clause is the lock: of two who change it at once, one updates a row
-- and the other updates none. What is gone does not come back.
UPDATE resources
   SET client = @client, kind = @kind, id = @id, version = @version, gone = @gone, name = @name,
       external_id = @external_id, created = @created, body = @body
 WHERE client = @client AND kind = @kind AND id = @id AND version + 1 = @version AND NOT gone;

-- name: Resource :one
SELECT body FROM resources WHERE client = @client AND kind = @kind AND id = @id AND NOT gone;

-- name: ResourcesByID :many
SELECT body FROM resources WHERE client = @client AND kind = @kind AND id = @id AND NOT gone;

-- name: ResourcesByName :many
SELECT body FROM resources WHERE client = @client AND kind = @kind AND name = @name AND NOT gone;

-- name: ResourcesByExternalID :many
SELECT body FROM resources WHERE client = @client AND kind = @kind AND external_id = @external_id AND external_id <> '' AND NOT gone ORDER BY created, id;

-- name: UsersByEmail :many
SELECT r.body FROM resource_emails e JOIN resources r ON r.client = e.client AND r.kind = 'user' AND r.id = e.id
 WHERE e.client = @client AND e.email = @email AND NOT r.gone ORDER BY r.created, r.id;

-- name: DeleteResourceEmails :exec
DELETE FROM resource_emails WHERE client = @client AND id = @id;

-- name: InsertResourceEmail :exec
INSERT INTO resource_emails (client, email, id) VALUES (@client, @email, @id);

-- name: ResourceEmailsAfter :many
SELECT * FROM resource_emails WHERE (client, email, id) > (@client, @email, @id) ORDER BY client, email, id LIMIT @page;

-- name: GroupsOfMember :many
SELECT r.body FROM resource_members m JOIN resources r ON r.client = m.client AND r.kind = 'group' AND r.id = m.group_id
 WHERE m.client = @client AND m.user_id = @user_id AND NOT m.gone AND NOT r.gone ORDER BY r.created, r.id;

-- name: ResourcesPage :many
SELECT body FROM resources WHERE client = @client AND kind = @kind AND NOT gone ORDER BY created, id LIMIT @page OFFSET @skip;

-- name: CountResources :one
SELECT count(*) FROM resources WHERE client = @client AND kind = @kind AND NOT gone;

-- name: ResourcesAfter :many
SELECT * FROM resources WHERE (client, kind, id) > (@client, @kind, @id) ORDER BY client, kind, id LIMIT @page;

-- name: PutMember :execrows
-- Who is one already, or ceased to be one already, changes nothing.
INSERT INTO resource_members (client, group_id, user_id, gone, body) VALUES (@client, @group_id, @user_id, @gone, @body)
ON CONFLICT (client, group_id, user_id) DO UPDATE SET gone = excluded.gone, body = excluded.body
WHERE resource_members.gone <> excluded.gone;

-- name: EndMember :execrows
UPDATE resource_members SET gone = @gone, body = @body
 WHERE client = @client AND group_id = @group_id AND user_id = @user_id AND gone <> @gone;

-- name: MembersAfter :many
SELECT user_id FROM resource_members
 WHERE client = @client AND group_id = @group_id AND user_id > @after AND NOT gone ORDER BY user_id LIMIT @page;

-- name: GroupIDsOfMember :many
SELECT group_id FROM resource_members WHERE client = @client AND user_id = @user_id AND NOT gone ORDER BY group_id;

-- name: ResourceMembersAfter :many
SELECT * FROM resource_members WHERE (client, group_id, user_id) > (@client, @group_id, @user_id)
 ORDER BY client, group_id, user_id LIMIT @page;

-- name: HasResource :many
SELECT id FROM resources WHERE client = @client AND kind = @kind AND id = @id AND NOT gone;
