"""The demo people, and the journey that shows the platform at work."""
