"""The checks of `sav verify`, one file for each."""
