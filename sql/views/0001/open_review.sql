-- What waits for a person: rows held or returned by a rule, and rows that could not be attached with certainty.
CREATE VIEW open_review AS
WITH open_row AS (
    SELECT record_id, kind, delivery_id, agency, as_of, document_no, subject_name, state, attach_reason
    FROM row_state WHERE state IN ('review', 'returned')
)
SELECT
    o.record_id, o.kind, o.delivery_id, o.agency, o.as_of, o.document_no, o.subject_name,
    v.expectation AS rule_or_reason, v.severity, v.field, v.value, v.finding, v.remedy
FROM open_row o JOIN verdict v USING (record_id)
WHERE v.severity IN ('reject', 'hold')
UNION ALL
SELECT
    o.record_id, o.kind, o.delivery_id, o.agency, o.as_of, o.document_no, o.subject_name,
    o.attach_reason, 'review', 'subject_name', o.subject_name, a.evidence::text, m.remedy
FROM open_row o
JOIN LATERAL (
    SELECT evidence FROM attachment WHERE record_id = o.record_id ORDER BY attachment_id DESC LIMIT 1
) a ON true
LEFT JOIN attach_remedy m ON m.reason = o.attach_reason
WHERE o.attach_reason IS NOT NULL;
