"""Use cases: identities, portraits, watching, and the durable workflow with its stages."""
