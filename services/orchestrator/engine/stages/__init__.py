"""The stages of a portrait. Each takes the job and earlier results, and returns a small record.

A stage may run again after a crash; what it makes depends on its arguments alone, and storing it twice
changes nothing.
"""
