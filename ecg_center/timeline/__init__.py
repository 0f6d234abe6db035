"""A study's whole story: every move with who, when, from where and why."""
