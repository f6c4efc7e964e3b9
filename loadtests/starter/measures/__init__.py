"""The figures: arithmetic on what was read off the pictures, each with an interval over people."""
