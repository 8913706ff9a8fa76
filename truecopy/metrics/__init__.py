"""Figures about a copy, each between its floor and its ceiling."""
