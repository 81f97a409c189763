"""Reactions of interventions to events, by noun."""
