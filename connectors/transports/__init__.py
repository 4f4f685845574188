"""How bytes travel from an agency: one module per transport, all of the shape that ``contract`` specifies."""
