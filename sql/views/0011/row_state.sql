-- One state for every row received (invariant 1): published, withheld, review, returned, superseded, duplicate,
-- or waiting for the next step; the rows that rulings made of one (corrects) stand beside it. A row that no step will
-- ever take up again has state unexplained.
CREATE OR REPLACE VIEW row_state AS
WITH decided AS (
    SELECT DISTINCT ON (record_id) record_id, attachment_id, uscc, method, grade, reason, as_of AS attached_as_of
    FROM attachment ORDER BY record_id, attachment_id DESC
),
newest AS (
    SELECT DISTINCT ON (d.record_id, d.site) d.record_id, d.site, d.shown, d.reason
    FROM disclosure d JOIN release r USING (release_id)
    WHERE r.state = 'visible'
    ORDER BY d.record_id, d.site, d.disclosure_id DESC
),
disclosed AS (
    SELECT record_id, count(*) AS sites, count(*) FILTER (WHERE shown) AS shown_on FROM newest GROUP BY record_id
)
SELECT
    r.record_id, r.kind, r.delivery_id, r.agency, r.as_of, r.record_key, r.document_no, r.subject_name,
    a.uscc, a.method, a.grade, a.reason AS attach_reason, coalesce(d.shown_on, 0) AS shown_on,
    CASE
        WHEN r.state <> 'accepted' THEN r.state
        WHEN r.kind IN ('annual_report', 'online_subject') THEN 'withheld'  -- held against each other, never shown
        WHEN a.record_id IS NULL THEN 'waiting'
        WHEN a.method = 'steward' AND a.grade = 'none' THEN 'withheld'
        WHEN a.grade <> 'certain' AND a.method <> 'natural_person' THEN 'review'
        WHEN d.shown_on > 0 THEN 'published'
        WHEN d.sites > 0 THEN 'withheld'
        WHEN EXISTS (
            SELECT 1 FROM release v WHERE v.state = 'visible' AND v.after_attachment >= a.attachment_id
        ) THEN 'unexplained'
        ELSE 'waiting'
    END AS state,
    r.corrects
FROM received_row r
LEFT JOIN decided a USING (record_id)
LEFT JOIN disclosed d USING (record_id);
