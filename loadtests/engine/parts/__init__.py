"""What the sections measure."""
