"""One module a program of the stack: its configuration and command line."""
