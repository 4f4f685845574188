-- Every row received, whatever its kind; document_no is the number by which the agency itself calls it: 文书号, else the
-- source's own number of the entry.
CREATE OR REPLACE VIEW received_row AS
SELECT record_id, 'licence' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key, document_no, subject_name, corrects
FROM licence
UNION ALL
SELECT record_id, 'penalty' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key, document_no, subject_name, corrects
FROM penalty
UNION ALL
SELECT
    record_id, 'inspection' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    coalesce(document_no, entry_no) AS document_no, subject_name, corrects
FROM inspection
UNION ALL
SELECT
    record_id, 'abnormal_operation' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    coalesce(document_no, entry_no) AS document_no, subject_name, corrects
FROM abnormal_operation
UNION ALL
SELECT
    record_id, 'serious_violation' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    coalesce(document_no, entry_no) AS document_no, subject_name, corrects
FROM serious_violation
UNION ALL
SELECT record_id, 'enforcement_notice' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key, document_no, subject_name, corrects
FROM enforcement_notice
UNION ALL
SELECT
    record_id, 'basic_info' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    coalesce(document_no, entry_no) AS document_no, subject_name, corrects
FROM basic_info
UNION ALL
SELECT
    record_id, 'annual_report' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    report_id AS document_no, enterprise_name AS subject_name, NULL AS corrects
FROM annual_report
UNION ALL
SELECT
    record_id, 'online_subject' AS kind, delivery_id, agency, as_of, state, superseded_by, record_key,
    subject_id AS document_no, operator_name AS subject_name, NULL AS corrects
FROM online_subject;
