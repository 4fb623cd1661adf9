"""What stores over tables of a database share: queries as SQL text, rows as records, a table opened."""
