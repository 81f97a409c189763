"""Commands about articles, stock and installed products."""
