"""Show an audit of a corpus: tables and a page with pictures."""
