"""Sources of a corpus: folders, columns of photos, and the names of rows."""
