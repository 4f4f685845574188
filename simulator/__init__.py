"""Three agencies over their real protocols, seeded and with a truth file; used by the demo, the tests, the bench."""
