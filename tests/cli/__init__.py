"""The command line, in process and as processes of their own."""
