"""Records: from bytes to readings, or to the reason a record is rejected."""
