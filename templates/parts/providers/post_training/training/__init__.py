"""Training, in a process of its own (`child`): what is imported by it alone needs torch."""
