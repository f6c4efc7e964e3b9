"""Between the domain's records and the messages of likeness.orchestrator.v1; pure functions."""
