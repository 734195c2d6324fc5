"""The systems: one file each, found by field and name; `catalog` lists them without importing any."""
