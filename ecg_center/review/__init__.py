"""A second physician reviews: returns with a reason, or signs and so releases."""
