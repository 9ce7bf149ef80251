"""What the commands of the command line do: a module per group.

Each has `add(found)`, which tells the parser of its commands, and a short function per command: options in, exit code
out. What only some commands need is imported inside those, so that each starts as fast as it can.
"""
