"""Load tests and measurements over the real stubs; each writes a report under out/reports."""
