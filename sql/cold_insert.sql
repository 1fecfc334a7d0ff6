-- Folders are UTC, by the Kafka timestamp: the same record is always in the same one.
INSERT INTO cold_sink
SELECT
    `key`,
    `value`,
    `topic`,
    `partition`,
    `offset`,
    `kafka_time`,
    DATE_FORMAT(`kafka_time`, 'yyyy-MM-dd'),
    DATE_FORMAT(`kafka_time`, 'HH')
FROM cold_source
