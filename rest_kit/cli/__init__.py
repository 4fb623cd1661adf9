"""The `rest-kit` command."""
