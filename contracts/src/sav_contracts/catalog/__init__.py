"""What catalog owns: articles, products."""
