"""What a transformer with mostly stale tokens tells of the evidence by the transformer itself.

    python scripts/stale_tokens.py [--seconds 120] [--pictures 4] [--without-large]

For each draw only some tokens are computed again: those that the window touches, the class token,
and some that depend on the window's most. They look at the keys and values that all others have on
the unperturbed picture. What changes in the others counts to first order, by one backward pass.

Trains a small ViT on textured discs, among others of one colour, for so many seconds of processor
time, and prints which share of the variance of its evidence this leaves unexplained, and what a
draw costs, by how many tokens are computed again; the cost also of ViT-B/16 with random weights.
From both follows by how many times a map costs less that is made of many windows by it and of few
by the network itself, at the same variance, if that falls with the number of windows in both.
"""

import argparse
import math
import time

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional as F
from torchvision.models import VisionTransformer, vit_b_16

from preddiff.engines.dense import filled
from preddiff.method.evidence import log2_odds
from preddiff.method.windows import Windows
from preddiff.samplers.load import load_sampler
from preddiff.studies import machine

SIDE, TEXTURES, WINDOW, DRAWS, WINDOWS, BATCH = 112, 4, 10, 4, 200, 32
MORE = (0, 8, 16, 32)


def textured(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, 3, y, x) of two discs, and the texture of the one that has any."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    textures = (y // 4 % 2, x // 4 % 2, (y // 4 + x // 4) % 2, (x + y) // 6 % 2, 0 * y)
    pictures, labels = [], rng.integers(0, TEXTURES, count)
    for label in labels:
        coarse = ndimage.gaussian_filter(rng.normal(size=(3, SIDE // 4, SIDE // 4)), (0, 3, 3))
        picture = np.kron(0.5 + 0.12 * coarse / coarse.std(), np.ones((1, 4, 4)))
        for texture in (TEXTURES, label):
            radius = rng.integers(16, 26)
            centre = rng.integers(radius, SIDE - radius, 2)
            disc = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
            light = rng.uniform(0.1, 0.9, (3, 1, 1))
            dark = light + np.where(light > 0.5, -0.35, 0.35)
            picture = np.where(disc, np.where(textures[texture] > 0, light, dark), picture)
        pictures.append(picture + rng.normal(0, 0.03, picture.shape))
    return np.clip(pictures, 0, 1).astype(np.float32), labels


def trained(seconds: float) -> VisionTransformer:
    """Return a small ViT that tells textures apart."""
    torch.manual_seed(0)
    network = VisionTransformer(
        image_size=SIDE, patch_size=14, num_layers=4, num_heads=4, hidden_dim=96, mlp_dim=256,
        num_classes=TEXTURES,
    )  # fmt: skip
    nn.init.trunc_normal_(network.heads.head.weight, std=0.02)
    pictures, labels = map(torch.from_numpy, textured(3000, 0))
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.02)
    begin, done = time.process_time(), 0.0
    while done < 1:
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1, done / 0.03) * (1 + math.cos(math.pi * done))
        some = torch.randint(len(pictures), (48,))
        loss = F.cross_entropy(network(4 * pictures[some] - 2), labels[some], label_smoothing=0.02)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        done = (time.process_time() - begin) / seconds
    network.eval()
    pictures, labels = map(torch.from_numpy, textured(300, 1))
    with torch.inference_mode():
        right = (network(4 * pictures - 2).argmax(1) == labels).double().mean()
    print(f"small ViT: {right:.1%} of 300 other pictures are told right")
    return network


class Stale:
    """A ViT of torchvision, of which most tokens are as they are on one picture (3, y, x).

    Letters of axes: n input, h head, t token, s token that is computed again, e number of a token.
    """

    def __init__(self, network: VisionTransformer, picture: np.ndarray, target: int) -> None:
        self.network, self.target = network, target
        self.blocks = list(network.encoder.layers)
        self.first = tokens = self.tokens(picture[None])
        kept = []
        for block in self.blocks:
            query, key, value = self.parts(block, tokens)
            weights = (query @ key.transpose(2, 3)).softmax(-1)
            output = weights @ value
            kept.append((query[0], key[0], value[0], weights[0], output))
            tokens = self.after(block, tokens, output)
        odds = self.odds(tokens[:, 0])[0]
        gradients = torch.autograd.grad(odds, [each[-1] for each in kept])
        self.kept = []
        for (query, key, value, weights, output), gradient in zip(kept, gradients, strict=True):
            worth = gradient[0] @ value.transpose(1, 2)
            had = (gradient * output)[0].sum(-1)
            total = (query @ key.transpose(1, 2)).logsumexp(-1, keepdim=True)
            of_layer = query, key, value, weights, gradient[0], worth, had, total
            self.kept.append(tuple(each.detach() for each in of_layer))
        self.first = self.first.detach()
        self.ties = sum((each[3] * each[5].abs()).sum(0) for each in self.kept)

    def tokens(self, pictures: np.ndarray) -> torch.Tensor:
        """Return the tokens (n, t, e) before the first block."""
        network = self.network
        patches = network._process_input(4 * torch.from_numpy(pictures) - 2)
        first = network.class_token.expand(len(patches), -1, -1)
        return torch.cat([first, patches], dim=1) + network.encoder.pos_embedding

    def parts(self, block: nn.Module, tokens: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return query, key and value (n, h, t, e), the query scaled."""
        attention = block.self_attention
        packed = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
        parts = packed.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
        return parts[0] / math.sqrt(parts.shape[-1]), parts[1], parts[2]

    def after(self, block: nn.Module, tokens: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """Return tokens after a block, from what its attention gives."""
        tokens = tokens + block.self_attention.out_proj(output.transpose(1, 2).flatten(2))
        return tokens + block.mlp(block.ln_2(tokens))

    def odds(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the target's log-odds (n,), natural, of class tokens (n, e) at the end."""
        logits = self.network.heads(self.network.encoder.ln(tokens)).double()
        others = torch.cat([logits[:, : self.target], logits[:, self.target + 1 :]], dim=1)
        return logits[:, self.target] - others.logsumexp(1)

    def whole(self, pictures: np.ndarray) -> torch.Tensor:
        """Return the log-odds (n,) by the network itself."""
        tokens = self.tokens(pictures)
        for block in self.blocks:
            parts = self.parts(block, tokens)
            output = F.scaled_dot_product_attention(*parts, scale=1.0)
            tokens = self.after(block, tokens, output)
        return self.odds(tokens[:, 0])

    def stale(self, pictures: np.ndarray, more: int) -> torch.Tensor:
        """Return the log-odds (n,) with some more tokens computed again than have to be."""
        every = self.tokens(pictures)
        changed = (every != self.first).any(-1)
        needed = changed.clone()
        needed[:, 0] = True
        ties = (changed.float() @ self.ties.T).masked_fill(needed, -1)
        needed.scatter_(1, ties.topk(more, dim=1).indices, True)
        fresh, which = needed.sort(dim=1, descending=True, stable=True)
        most = int(needed.sum(1).max())
        fresh, which = fresh[:, :most], which[:, :most]
        which = torch.where(fresh, which, which[:, :1])  # the class token again, which is left out
        tokens = every.gather(1, which[..., None].expand(-1, -1, every.shape[-1]))
        effect = torch.zeros(len(tokens))
        for block, kept in zip(self.blocks, self.kept, strict=True):
            parts = self.parts(block, tokens)
            effect = effect + _effect(*parts[1:], kept, which, fresh)
            tokens = self.after(block, tokens, _attended(*parts, kept, which, fresh))
        return self.odds(tokens[:, 0]) + effect


def _attended(query, key, value, kept, which, fresh):
    """Return the attention (n, h, s, e) of the tokens to themselves and to all others."""
    count, heads, some, _ = query.shape
    to_all = query.transpose(0, 1).flatten(1, 2) @ kept[1].transpose(1, 2)
    to_all = to_all.unflatten(1, (count, some))
    to_all.scatter_(-1, which[None, :, None].expand(heads, -1, some, -1), -math.inf)
    to_some = (query @ key.transpose(2, 3)).transpose(0, 1)
    to_some = to_some.masked_fill(~fresh[None, :, None], -math.inf)
    weights = torch.cat([to_all, to_some], dim=-1).softmax(-1)
    of_all = (weights[..., :-some].flatten(1, 2) @ kept[2]).unflatten(1, (count, some))
    return of_all.transpose(0, 1) + weights[..., -some:].transpose(0, 1) @ value


def _effect(key, value, kept, which, fresh):
    """Return what the log-odds change by, (n,), as other tokens see new keys and values."""
    # A token's output is a mean with weights: some terms above and below the line are replaced.
    query, _, _, weights, gradient, worth, had, total = kept
    count, flat = len(key), which.flatten()
    keys, values = (each.transpose(0, 1).flatten(1, 2) for each in (key, value))
    used = fresh.flatten()
    after = (query @ keys.transpose(1, 2) - total).clamp(max=30).exp() * used
    before = weights[..., flat] * used
    below = 1 + (after - before).unflatten(-1, (count, -1)).sum(-1)
    above = after * (gradient @ values.transpose(1, 2)) - before * worth[..., flat]
    above = above.unflatten(-1, (count, -1)).sum(-1) + had[..., None]
    others = torch.ones(count, query.shape[1]).scatter_(1, which, 0)
    return torch.einsum("htn,nt->n", above / below - had[..., None], others)


def _drawn(picture: np.ndarray, count: int) -> np.ndarray:
    """Return copies (window × draw, 3, y, x), each with a window replaced."""
    side = picture.shape[1]
    every = Windows.over((side, side), WINDOW)
    some = every.subset(np.random.default_rng(0).choice(len(every), count, replace=False))
    sampler = load_sampler(
        "conditional", shape=picture.shape, window=WINDOW, margin=2, prepare=np.asarray,
        mean=picture.mean(axis=(1, 2)),
    )  # fmt: skip
    draws = sampler.draw(picture, some, DRAWS, 0, None)
    return filled(
        picture, np.repeat(some.starts, DRAWS, axis=0), draws.reshape(-1, *draws.shape[2:])
    )


def _evaluated(evaluate, inputs: np.ndarray) -> tuple[np.ndarray, float]:
    """Return log-odds of all inputs and the seconds of processor time of one."""
    evaluate(inputs[:2])
    begin = time.process_time()
    with torch.inference_mode():
        found = [evaluate(inputs[n : n + BATCH]) for n in range(0, len(inputs), BATCH)]
    return torch.cat(found).numpy(), (time.process_time() - begin) / len(inputs)


def _evidence(odds: np.ndarray) -> np.ndarray:
    """Return the evidence of windows, but for what is the same for all."""
    return -log2_odds((1 / (1 + np.exp(-odds))).reshape(-1, DRAWS).mean(axis=1))


def gain(unexplained: float, cost: float) -> float:
    """Return by how many times less two levels cost than the network alone."""
    return (math.sqrt((1 - unexplained) * cost) + math.sqrt(unexplained)) ** -2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--without-large", action="store_true")
    arguments = parser.parse_args()
    print(machine.describe())
    costs = dict.fromkeys(MORE, math.nan)
    if not arguments.without_large:
        torch.manual_seed(0)
        picture = np.random.default_rng(0).random((3, 224, 224)).astype(np.float32)
        large, inputs = Stale(vit_b_16().eval(), picture, 0), _drawn(picture, 8)
        _, whole = _evaluated(large.whole, inputs)
        for more in MORE:
            costs[more] = _evaluated(lambda x, more=more: large.stale(x, more), inputs)[1] / whole
    network = trained(arguments.seconds)
    pictures, _ = textured(arguments.pictures, 7)
    print("\n| picture | tokens more | unexplained | cost, small ViT | ViT-B/16 | gain there |")
    print("|---|---|---|---|---|---|")
    for number, picture in enumerate(pictures):
        with torch.inference_mode():
            answer = network(4 * torch.from_numpy(picture[None]) - 2)
        small, inputs = Stale(network, picture, int(answer.argmax())), _drawn(picture, WINDOWS)
        found, whole = _evaluated(small.whole, inputs)
        right = _evidence(found)
        for more in MORE:
            found, seconds = _evaluated(lambda x, s=small, more=more: s.stale(x, more), inputs)
            unexplained = 1 - np.corrcoef(right, _evidence(found))[0, 1] ** 2
            print(
                f"| {number + 1} | {more} | {unexplained:.1%} | {seconds / whole:.2f} | "
                f"{costs[more]:.3f} | {gain(unexplained, costs[more]):.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
