"""Rules TC6xx."""
