"""OAuth 2.1 for AI hosts that cannot send an API key: somebody who has one lets a program act with it."""
