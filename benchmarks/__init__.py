"""What rest_kit costs, against others doing the same work; see README.md."""
