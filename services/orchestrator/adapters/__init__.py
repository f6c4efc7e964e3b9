"""Implementations of the ports: SQL, DBOS, the other services over gRPC, files."""
