"""Rules TC1xx."""
