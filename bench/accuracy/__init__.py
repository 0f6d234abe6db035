"""How right is the analysis on annotated recordings? ``python -m bench.accuracy TASK --data FOLDER``."""
