"""Dead letters: list, show and replay rejected records (`fleetpulse dlq`)."""
