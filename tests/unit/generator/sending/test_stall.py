from generator.sending.stall import StallWatch


class Watched:
    def __init__(self):
        self.now_s, self.said = 1_000.0, []
        self.watch = StallWatch("broker:9092", lambda: self.now_s, self.said.append)

    def quiet_for(self, seconds, held=7):
        for _ in range(seconds * 2):
            self.now_s += 0.5
            self.watch.quiet(held)


def test_a_short_pause_is_nothing_to_talk_about():
    watched = Watched()
    watched.quiet_for(2)
    watched.watch.moved()

    assert watched.said == []


def test_a_broker_that_is_away_is_told_at_intervals_with_since_when_and_how_much_waits():
    watched = Watched()
    watched.quiet_for(25)

    assert [text.split("(")[1] for text in watched.said] == [
        "3 s), 7 records held",
        "13 s), 7 records held",
        "23 s), 7 records held",
    ]
    assert watched.said[0].startswith("waiting for Kafka at broker:9092: no answer since ")


def test_its_return_is_told_once():
    watched = Watched()
    watched.quiet_for(5)
    watched.watch.moved()
    watched.watch.moved()

    assert watched.said[1:] == ["Kafka at broker:9092 answers again, after 5 s"]


def test_the_next_absence_counts_anew():
    watched = Watched()
    watched.quiet_for(5)
    watched.watch.moved()
    watched.quiet_for(2)

    assert len(watched.said) == 2


def test_records_are_not_mentioned_where_there_are_none():
    watched = Watched()
    watched.quiet_for(4, held=0)

    assert "records" not in watched.said[0]
