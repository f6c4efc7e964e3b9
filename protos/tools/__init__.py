"""Tools that generate and check the stubs; not part of the distribution."""
