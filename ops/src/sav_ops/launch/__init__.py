"""Starts, watches and stops the processes of a platform on this machine."""
