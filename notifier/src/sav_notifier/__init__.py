"""E-mail, SMS and push. Empty until its first command lands."""
