-- Five rows a second; the broker stamps them when they arrive.
CREATE TABLE clock (
    `n` BIGINT
) WITH (
    'connector' = 'datagen',
    'rows-per-second' = '5',
    'scan.parallelism' = '1'
)
