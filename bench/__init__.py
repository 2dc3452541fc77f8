"""Benchmarks that print ratios: the hub beside bare servers that do only part of its work, in one run."""
