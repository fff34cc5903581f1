"""What a load was like, as the run's report tells it: pictures, tables and numbers of a LoadResult. Pure."""
