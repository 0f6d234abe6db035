"""What a recording says: from stored bytes to findings, measurements and critical values."""
