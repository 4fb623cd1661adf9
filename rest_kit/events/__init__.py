"""What happened to the data: the log that every store keeps, and (on the HTTP floors) who waits for it."""
