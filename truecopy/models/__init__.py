"""Architectures, recipes, and the estimator that trains them."""
