"""Run test modules, and the tests within each, in a random order: `pytest -p tests.random_order --order_seed 3`.

No test depends on another, so every order passes.
"""

import random


def pytest_addoption(parser):
    parser.addoption("--order_seed", type=int, default=0, help="seed of the order of the tests")


def pytest_collection_modifyitems(config, items):
    modules = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    order = random.Random(config.getoption("order_seed"))
    groups = list(modules.values())
    order.shuffle(groups)
    for group in groups:
        order.shuffle(group)
    items[:] = [item for group in groups for item in group]
