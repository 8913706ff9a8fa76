"""What can be wrong with an autoencoder: one function of the facts a rule, and their ranking."""
