"""Payment providers: what is asked of them, and what they tell."""
