"""What pages ask of the database: pages of lists by key, counts by group, never a scan of the records."""
