SELECT
    changed_at AS time,
    device_id,
    kind,
    state,
    extract(epoch FROM detected_at - changed_at)::double precision AS event_to_detected,
    extract(epoch FROM stored_at - detected_at)::double precision AS detected_to_stored,
    extract(epoch FROM stored_at - changed_at)::double precision AS event_to_stored,
    summary
FROM alerts
WHERE $__timeFilter(changed_at) AND state IN ('open', 'updated', 'recovered')
ORDER BY stored_at - changed_at DESC
LIMIT 20
