"""Other people's libraries, one file each, and only there their conventions."""
