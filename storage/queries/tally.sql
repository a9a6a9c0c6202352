-- name: SaveTally :exec
INSERT INTO tallies (day, body) VALUES (@day, @body)
ON CONFLICT (day) DO UPDATE SET body = excluded.body;

-- name: TalliesSince :many
SELECT body FROM tallies WHERE day >= @since ORDER BY day;

-- name: TalliesAfter :many
SELECT * FROM tallies WHERE day > @after ORDER BY day LIMIT @page;
