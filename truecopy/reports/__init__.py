"""Facts as text, tables and pages; nothing here computes."""
