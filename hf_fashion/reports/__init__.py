"""Show metrics: tables, pictures and pages. Import the submodule you need."""
