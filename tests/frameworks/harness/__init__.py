"""Starts frameworks, sends them requests directly and through a gateway, and judges what they read."""
