"""The other services over their stubs; one file per port."""
