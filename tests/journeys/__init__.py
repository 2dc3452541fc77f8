"""What users do, end to end: real processes, real sockets, both databases."""
