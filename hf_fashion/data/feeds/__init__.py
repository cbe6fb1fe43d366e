"""Product feeds: CSV, TSV and JSON files of products, read without losing a row."""
