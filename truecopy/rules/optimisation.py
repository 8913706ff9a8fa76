"""Rules TC5xx."""
