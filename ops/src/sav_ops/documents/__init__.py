"""Documents generated from code, and the rules for changes of published ones."""
