from hf_fashion.audit.groups import connected


def test_pairs_join_to_groups():
    assert connected(8, [(6, 4), (0, 3), (4, 1), (3, 0)]) == [[0, 3], [1, 4, 6]]


def test_a_chain_is_one_group_in_any_order():
    chain = [(place, place + 1) for place in range(50)]
    assert connected(51, chain[::2] + chain[1::2]) == connected(51, reversed(chain)) == [list(range(51))]


def test_no_pairs_make_no_groups():
    assert connected(3, []) == connected(0, []) == []
