import torch

from photochrom.nets.projected import ProjectedCritic
from photochrom.train.losses import critic_loss


def test_each_level_gives_a_logit_per_32_px_and_tells_a_picture_where_to_go() -> None:
    critic = ProjectedCritic("test", 8).eval()
    picture = torch.rand(2, 3, 96, 64, requires_grad=True)
    logits = critic(picture)
    assert logits.shape == (2, 4, 3, 2)
    for level in range(4):
        (gradient,) = torch.autograd.grad(logits[:, level].mean(), picture, retain_graph=True)
        assert gradient.abs().amax(dim=(1, 2, 3)).min() > 0


def test_only_the_heads_learn_and_only_they_and_their_mixtures_are_kept() -> None:
    critic = ProjectedCritic("test", 8).train().requires_grad_(True)
    learns = {name for name, _ in critic.named_parameters()}
    assert learns
    assert all(name.startswith("heads.") for name in learns)
    assert not any(name.startswith("network.") for name in critic.state_dict())
    assert sum(name.endswith(".kernel") for name in critic.state_dict()) == 4 + 3
    before = {name: value.clone() for name, value in critic.named_buffers() if not name.startswith("heads.")}
    optimizer = torch.optim.AdamW(critic.parameters(), lr=1e-2)
    critic_loss("hinge", critic(torch.rand(2, 3, 64, 64)), critic(torch.rand(2, 3, 64, 64))).backward()
    optimizer.step()
    assert before
    assert all(torch.equal(value, dict(critic.named_buffers())[name]) for name, value in before.items())


def test_it_learns_to_tell_tinted_pictures_from_grey_ones() -> None:
    torch.manual_seed(3)
    critic = ProjectedCritic("test", 16)
    optimizer = torch.optim.AdamW(critic.parameters(), lr=5e-3)

    def pairs() -> tuple[torch.Tensor, torch.Tensor]:
        grey = torch.rand(8, 1, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
        tint = torch.tensor([0.15, 0.0, -0.15]).view(1, 3, 1, 1)
        return (grey + tint).clamp(0, 1), grey.expand(-1, 3, -1, -1)

    for _ in range(120):
        loss = critic_loss("hinge", *(critic(pictures) for pictures in pairs()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    critic.eval()
    tinted, grey = (critic(pictures).mean(dim=(1, 2, 3)) for pictures in pairs())
    assert tinted.min() > grey.max()
