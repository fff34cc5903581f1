"""A proposal as files: sifted of what must not be written, as YAML with comments, loaded before it is put in place."""
