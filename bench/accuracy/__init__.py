"""How right is the analysis on recordings that people have annotated? ``python -m bench.accuracy TASK --data FOLDER``."""
