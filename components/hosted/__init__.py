"""The components as other languages see them."""
