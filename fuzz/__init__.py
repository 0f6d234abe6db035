"""Do hostile files do harm? ``python -m fuzz`` mutates recordings of every format for as long as it is let."""
