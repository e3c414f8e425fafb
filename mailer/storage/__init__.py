"""The books in SQL: `database` knows the dialects, each other module keeps one book."""
