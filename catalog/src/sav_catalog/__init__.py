"""Articles, installed products and their warranty. Empty until its first command lands."""
