"""OAuth's outside face: its documents, the page where somebody allows a program to use a key, and the tokens."""
