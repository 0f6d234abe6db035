"""One file a family of pages: thin handlers that call the stages and fill templates."""
