"""What was measured: added up in each process, gathered by one, written as one stream."""
