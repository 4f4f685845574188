"""Thin Airflow DAGs over ``pipeline``."""
