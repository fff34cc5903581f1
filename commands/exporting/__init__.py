"""What several formats of `golive export` ask of an environment."""
