"""Rules TC4xx."""
