-- One step in the index for each site, however many rows there are.
WITH RECURSIVE known AS (
    (SELECT site FROM aggregates WHERE site IS NOT NULL ORDER BY site LIMIT 1)
    UNION ALL
    SELECT (SELECT site FROM aggregates WHERE site > known.site ORDER BY site LIMIT 1)
    FROM known
    WHERE known.site IS NOT NULL
)
SELECT site
FROM known
WHERE site IS NOT NULL
LIMIT 1000
