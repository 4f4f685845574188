"""Airflow plugins of the project; the folder is the plugins folder of every Airflow process."""
