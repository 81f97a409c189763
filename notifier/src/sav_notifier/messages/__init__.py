"""Every message to people, by subject. Beside each declaration are the files of its text in both languages."""
