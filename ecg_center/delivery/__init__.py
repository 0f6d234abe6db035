"""The clinic's gateway pulls the released report and prints it; the printed state comes back."""
