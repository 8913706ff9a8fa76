"""Rules TC7xx."""
