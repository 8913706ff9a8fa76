"""Keras' own fit, made right for the data and fast on JAX."""
