"""The orchestrator: identities, styles, and the durable workflow that makes portraits."""
