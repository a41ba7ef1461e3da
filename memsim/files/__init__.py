"""What the user names, read and written: texts, TOML, CSV, whole files, and the room that there is for them."""
