"""Rules: what is watched, as data; how each kind is checked and evaluated."""
