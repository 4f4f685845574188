#!/bin/sh
# First start of the server only: Airflow gets a role and a database of its own and cannot read the system of record.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$AIRFLOW_DB_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE CONNECT, TEMPORARY ON DATABASE disclosure FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE airflow FROM PUBLIC;
SQL
