"""Fetching collateral from its vendors, or from a mirror of them, over HTTP. Only here does anything call out."""
