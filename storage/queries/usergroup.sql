-- name: InsertUserGroup :execrows
INSERT INTO user_groups (id, revision, body) VALUES (@id, @revision, @body)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateUserGroup :execrows
-- The WHERE clause is the lock, as for requests.
UPDATE user_groups SET id = @id, revision = @revision, body = @body WHERE id = @id AND revision + 1 = @revision;

-- name: UserGroups :many
SELECT g.body, COALESCE(r.at, 0) AS at FROM user_groups g LEFT JOIN group_reads r ON r.id = g.id ORDER BY g.id;

-- name: NoteGroupRead :exec
INSERT INTO group_reads (id, at) VALUES (@id, @at)
ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE group_reads.at < excluded.at;

-- name: UserGroupsAfter :many
SELECT * FROM user_groups WHERE id > @after ORDER BY id LIMIT @page;
