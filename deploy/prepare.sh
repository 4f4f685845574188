#!/bin/sh
# Run once before everything else (service init): both schemas, the pools, the password of the web page.
set -eu
airflow db migrate
airflow pools import /app/deploy/pools.json
python -c 'from pipeline.office import open_office; open_office()'
umask 077
python -c 'import json, os; print(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))' \
    > /var/lib/airflow/auth/passwords.json
