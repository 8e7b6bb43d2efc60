"""Checks a site without trusting whoever built it: one named check per function, all findings at once."""
