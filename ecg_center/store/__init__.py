"""Where the centre keeps what it knows: PostgreSQL for facts, a content-addressed store for bytes."""
