"""The sums of losses of ASEN++, RPF and IPAD (equations 18, 19 and 20), and the items of several processes."""

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file

from hf_fashion.losses.attribute import ATTRIBUTE_LOSSES, attribute_losses, published_weights
from hf_fashion.losses.attribute_items import AttributeItems
from hf_fashion.losses.branch_alignment import branch_alignment_loss
from hf_fashion.losses.cluster_centre import cluster_centre_loss
from hf_fashion.losses.e_info_nce import e_info_nce
from hf_fashion.losses.triplet import triplet_loss
from hf_fashion.losses.triplet_indices import batch_triplets
from tests.warm_processes import end_rank, run_ranks


ASEN, ASEN_PLUS_PLUS, RPF, IPAD = map(published_weights, ("asen", "asen++", "rpf", "ipad"))
# Two triplets, the three items of each next to one another.
ATTRIBUTES = torch.tensor([0, 0, 0, 1, 1, 1])
VALUES = torch.tensor([2, 2, 0, 1, 1, 0])
TRIPLETS = torch.arange(6).view(-1, 3)
X, P, N = TRIPLETS.T


def make_items(**changes) -> AttributeItems:
    generator = torch.Generator().manual_seed(0)
    names = ("global_embeds", "local_embeds", "background_embeds")
    embeds = {name: torch.randn(6, 8, dtype=torch.float64, generator=generator) for name in names}
    return AttributeItems(**(embeds | {"attribute_ids": ATTRIBUTES, "value_ids": VALUES} | changes))


def make_centres() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    present = torch.tensor([[True, True, True], [True, True, False]])
    names = ("global_embeds", "local_embeds")
    return {name: (torch.randn(2, 3, 8, dtype=torch.float64, generator=generator), present) for name in names}


def by_role(embeds):
    return embeds[X], embeds[P], embeds[N]


def equation_18(items):
    contrast = e_info_nce(items.global_embeds, items.local_embeds, items.background_embeds, ATTRIBUTES, VALUES)
    triplets = triplet_loss(*by_role(items.global_embeds)) + 0.1 * triplet_loss(*by_role(items.local_embeds))
    return triplets + 0.04 * contrast


def equation_19(embeds, centres):
    return sum(cluster_centre_loss(embeds[rows], ATTRIBUTES[rows], VALUES[rows], *centres) for rows in (X, P, N))


def test_published_weights():
    triplets = {"global_triplet": 1.0, "local_triplet": 0.1}
    assert published_weights("asen") == {"global_triplet": 1.0}
    assert published_weights("asen++") == triplets | {"alignment": 0.1}
    assert published_weights("rpf") == triplets | {"e_info_nce": 0.04}
    assert published_weights("ipad") == published_weights("rpf") | {"global_centre": 1.0, "local_centre": 1.0}


def test_a_loss_that_reads_centres_says_of_which_branch():
    for name, loss in ATTRIBUTE_LOSSES.items():
        centres = {branch: pair for branch, pair in make_centres().items() if branch == loss.centres_of}
        assert attribute_losses(make_items(), TRIPLETS, {name: 1.0}, centres)["loss"] > 0


def test_equation_18_is_rpfs_total():
    items = make_items()
    torch.testing.assert_close(attribute_losses(items, TRIPLETS, RPF)["loss"], equation_18(items))


def test_equation_19():
    items, centres = make_items(), make_centres()
    losses = attribute_losses(items, TRIPLETS, {"global_centre": 1.0, "local_centre": 1.0}, centres)
    for branch in ("global", "local"):
        name = f"{branch}_embeds"
        torch.testing.assert_close(losses[f"{branch}_centre"], equation_19(getattr(items, name), centres[name]))


def test_equation_20_is_ipads_total():
    items, centres = make_items(), make_centres()
    expected = equation_18(items) + sum(equation_19(getattr(items, name), centres[name]) for name in centres)
    torch.testing.assert_close(attribute_losses(items, TRIPLETS, IPAD, centres)["loss"], expected)


def test_before_any_centre_is_there_ipads_total_is_equation_18():
    items = make_items()
    centres = {name: (torch.zeros_like(c), torch.zeros_like(p)) for name, (c, p) in make_centres().items()}
    torch.testing.assert_close(attribute_losses(items, TRIPLETS, IPAD, centres)["loss"], equation_18(items))


def test_asen_plus_plus_total():
    items = make_items(background_embeds=None)
    pairs = zip(by_role(items.global_embeds), by_role(items.local_embeds), strict=True)
    expected = triplet_loss(*by_role(items.global_embeds)) + 0.1 * triplet_loss(*by_role(items.local_embeds))
    expected += 0.1 * sum(branch_alignment_loss(*pair) for pair in pairs)
    losses = attribute_losses(items, TRIPLETS, ASEN_PLUS_PLUS)
    torch.testing.assert_close(losses["loss"], expected)
    assert list(losses) == ["loss", "global_triplet", "local_triplet", "alignment"]


def test_parity_with_the_published_total(shared_fixtures):
    tensors = load_file(shared_fixtures / "asenpp_losses.safetensors")
    global_embeds, local_embeds = (torch.cat([tensors[f"{kind}{role}"] for role in "xpn"]) for kind in "gl")
    labels = torch.zeros(15, dtype=torch.long)
    items = AttributeItems(global_embeds.requires_grad_(), labels, labels, local_embeds.requires_grad_())
    loss = attribute_losses(items, torch.arange(15).view(3, 5).T, ASEN_PLUS_PLUS)["loss"]
    loss.backward()
    torch.testing.assert_close(loss, tensors["total"][0], rtol=0, atol=1e-10)
    for kind, embeds in (("g", global_embeds), ("l", local_embeds)):
        expected = torch.cat([tensors[f"grad_{kind}{role}"] for role in "xpn"])
        torch.testing.assert_close(embeds.grad, expected, rtol=0, atol=1e-10)


def test_views_of_the_anchors_join_only_the_global_triplet_loss():
    views = torch.randn(4, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    items = make_items(view_embeds=views, view_items=X.repeat(2))
    losses = attribute_losses(items, TRIPLETS, RPF)
    x, p, n = by_role(items.global_embeds)
    five = [(x, p, n), (views[:2], p, n), (views[2:], p, n), (x, views[:2], n), (x, views[2:], n)]
    expected = sum(triplet_loss(*rows) for rows in five) / 5
    torch.testing.assert_close(losses["global_triplet"], expected)
    without = attribute_losses(make_items(), TRIPLETS, RPF)
    for name in ("local_triplet", "e_info_nce"):
        assert losses[name] == without[name]


def test_every_loss_reaches_every_branch_that_it_reads():
    embeds = {name: torch.randn(6, 8, requires_grad=True) for name in ("global_embeds", "local_embeds")}
    background = torch.randn(6, 8, requires_grad=True)
    items = make_items(**embeds, background_embeds=background)
    centres = {name: (c.float(), p) for name, (c, p) in make_centres().items()}
    attribute_losses(items, TRIPLETS, IPAD, centres)["loss"].backward()
    assert all(tensor.grad.norm() > 0 for tensor in (*embeds.values(), background))


def test_a_name_that_is_unknown_is_refused():
    with pytest.raises(ValueError, match=r"global_triplet, .*local_centre, got \['global_triplets'\]"):
        attribute_losses(make_items(), TRIPLETS, {"global_triplets": 1.0})
    with pytest.raises(ValueError, match=r"got \[\]"):
        attribute_losses(make_items(), TRIPLETS, {})


@pytest.mark.parametrize(
    ("weights", "missing"),
    [(ASEN_PLUS_PLUS, "local_embeds"), (RPF, "local_embeds"), ({"e_info_nce": 1.0}, "local_embeds")],
)
def test_a_branch_that_is_not_there_is_named(weights, missing):
    items = make_items(local_embeds=None, background_embeds=None)
    with pytest.raises(ValueError, match=f"`{missing}`.*remove that loss from `weights`"):
        attribute_losses(items, TRIPLETS, weights)
    assert attribute_losses(items, TRIPLETS, ASEN)["loss"] > 0


def test_centres_that_are_not_there_are_named():
    centres = make_centres()
    del centres["local_embeds"]
    with pytest.raises(ValueError, match=r"centre loss of local_embeds; `centres` has only \['global_embeds'\]"):
        attribute_losses(make_items(), TRIPLETS, IPAD, centres)


def leaves_and_items(rows: slice) -> tuple[list[torch.Tensor], AttributeItems]:
    """A share of the six items, each with one further view."""
    whole = make_items()
    views = torch.randn(6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    embeds = (whole.global_embeds, whole.local_embeds, whole.background_embeds, views)
    leaves = [tensor[rows].clone().requires_grad_() for tensor in embeds]
    labels = (ATTRIBUTES[rows], VALUES[rows])
    return leaves, AttributeItems(leaves[0], *labels, *leaves[1:], view_items=torch.arange(len(leaves[0])))


def total_of(items: AttributeItems) -> torch.Tensor:
    triplets = batch_triplets(items.attribute_ids, items.value_ids)
    return attribute_losses(items, triplets, IPAD, make_centres())["loss"]


def run_rank(rank: int, folder: str):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    leaves, items = leaves_and_items(slice(3 * rank, 3 * rank + 3))
    loss = total_of(items.gathered())
    loss.backward()
    torch.save([loss.detach(), *(leaf.grad / 2 for leaf in leaves)], f"{folder}/rank{rank}.pt")  # DDP's mean
    end_rank()


def test_two_processes_equal_one(tmp_path):
    run_ranks(run_rank, str(tmp_path))
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2)]
    leaves, items = leaves_and_items(slice(None))
    loss = total_of(items.gathered())
    loss.backward()
    for rank, (found, *gradients) in enumerate(ranks):
        torch.testing.assert_close(found, loss.detach())
        for gradient, leaf in zip(gradients, leaves, strict=True):
            torch.testing.assert_close(gradient, leaf.grad[3 * rank : 3 * rank + 3])
