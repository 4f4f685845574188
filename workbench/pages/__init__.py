"""One module per page: its routes, and nothing that another page needs."""
