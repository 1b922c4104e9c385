"""The vendors' collateral: kept in a store, fetched ahead of its expiry, carried across an air gap, read from there.

Each module is imported by its name, so that what `bailiwick verify` does not need is not loaded.
"""
