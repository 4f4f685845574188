"""The steps as plain functions (collect, ingest, attach, publish, reconcile), the settings and the command line."""
