"""What the user names, read and written: texts, TOML, CSV, whole files, and how much memory there is for them."""
