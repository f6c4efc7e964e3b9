"""Use cases: batching rows of many pictures, running programs, generating a picture for a request."""
