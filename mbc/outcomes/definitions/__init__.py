"""Published definitions of outcome metrics: one module each, and a TOML file with its instruments and limits."""
