"""The databases below the history: how they are reached, their tables and the versions of these."""
