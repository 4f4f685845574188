"""How bytes travel from an agency: one module per transport."""
