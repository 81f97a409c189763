"""The `sav` command: starts, stops, watches and checks the platform."""
