"""Rules TC3xx."""
