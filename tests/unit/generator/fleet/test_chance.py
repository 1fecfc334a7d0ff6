from generator.fleet.chance import draw, mix, unit


def test_chance_is_the_same_on_every_machine_and_in_every_release():
    assert mix(1) == 0xE220A8397B1DCDAF  # splitmix64's first number for seed 0
    assert draw(1, 2) == mix(mix(1) + 2)


def test_the_order_of_numbers_matters():
    assert draw(1, 2) != draw(2, 1)


def test_units_fill_zero_to_one_evenly():
    shares = [unit(mix(n)) for n in range(10_000)]

    assert 0 <= min(shares) < 0.001
    assert 0.999 < max(shares) < 1
    assert abs(sum(shares) / len(shares) - 0.5) < 0.01
