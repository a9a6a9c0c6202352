-- name: SaveTally :execrows
-- The WHERE clause is the guard: that of a later roll call of the day stays.
INSERT INTO tallies (day, at, body) VALUES (@day, @at, @body)
ON CONFLICT (day) DO UPDATE SET at = excluded.at, body = excluded.body
WHERE tallies.at <= excluded.at;

-- name: TalliesSince :many
SELECT body FROM tallies WHERE day >= @since ORDER BY day;

-- name: TalliesAfter :many
SELECT * FROM tallies WHERE day > @after ORDER BY day LIMIT @page;
