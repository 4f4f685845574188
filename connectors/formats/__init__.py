"""File formats of deliveries: each module turns bytes into batches of text columns, and never guesses a meaning."""
