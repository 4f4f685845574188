"""What must hold: Great Expectations suites per kind and sheet, the runner, the quarantine reconciliation."""
