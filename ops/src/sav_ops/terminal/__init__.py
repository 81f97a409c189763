"""How `sav` prints: steps, progress, tables, text."""
