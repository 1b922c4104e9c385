"""Checks of what a bundle's statements say, by subject: the stack, the log, the attestations."""
