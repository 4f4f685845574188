-- What waits for a person, as the stewards' list and the exports show it: the open part of review, in words.
CREATE VIEW open_review AS
SELECT
    w.record_id, w.kind, w.delivery_id, w.agency, w.opened AS as_of, w.document_no, w.subject_name,
    w.rule AS rule_or_reason, w.severity, w.field,
    CASE WHEN w.severity = 'review' THEN w.subject_name ELSE v.value END AS value,
    CASE WHEN w.severity = 'review' THEN a.evidence ELSE v.finding END AS finding,
    CASE WHEN w.severity = 'review' THEN m.remedy ELSE v.remedy END AS remedy
FROM review w
LEFT JOIN verdict v ON v.record_id = w.record_id AND v.expectation = w.rule
LEFT JOIN attach_remedy m ON w.severity = 'review' AND m.reason = w.rule
LEFT JOIN LATERAL (
    SELECT evidence::text AS evidence FROM attachment
    WHERE w.severity = 'review' AND record_id = w.record_id ORDER BY attachment_id DESC LIMIT 1
) a ON true
WHERE w.state = 'open' AND w.record_id IS NOT NULL;
