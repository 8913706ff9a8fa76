"""Rules TC2xx."""
