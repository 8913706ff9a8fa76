"""From what the user has to scaled rows: sources, profile, plan, scaling, noise."""
