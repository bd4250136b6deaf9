"""Settings in one typed table, e-ports and parties as files, packaged defaults and examples."""
